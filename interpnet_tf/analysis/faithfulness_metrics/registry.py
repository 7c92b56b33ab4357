"""`METRICS`: the faithfulness metrics by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from interpnet_tf.analysis.faithfulness_metrics import (
    erasure,
    error_tracking,
    gain,
    interchange,
    randomised,
    round_trip,
    simulatability,
)
from interpnet_tf.analysis.faithfulness_metrics.material import Material


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric, and what it says.

    Attributes:
        figures: gives one figure an example, `(examples,)`, NaN where it is not defined.
        meaning: a sentence for a report.
        unit: of the figures, `""` for shares and correlations.
        sentences_only: whether it reads sentences, classes and r(x) but asks the decoder nothing, so that it
            also judges sentences which no decoder said.
        better: `"higher"` or `"lower"` is more faithful.
        details: gives further figures by name, such as one for each layer.
    """

    figures: Callable[[Material], np.ndarray]
    meaning: str
    unit: str = ""
    sentences_only: bool = False
    better: str = "higher"
    details: Callable[[Material], dict[str, np.ndarray]] | None = None


METRICS = {
    "gain_own": Metric(
        gain.gain_own, "how much of what is said comes from r(x), and not from any r(x)", "bits a word"
    ),
    "gain_own_same_class": Metric(
        gain.gain_own_same_class,
        "how much of what is said is of this example beyond its class",
        "bits a word",
    ),
    "gain_people": Metric(
        gain.gain_people, "how much r(x) tells the decoder about what people say", "bits a word"
    ),
    "gain_people_same_class": Metric(
        gain.gain_people_same_class, "how much of that is of this example beyond its class", "bits a word"
    ),
    "interchange_words": Metric(
        interchange.interchange_words,
        "how far the words move when the features stay and the decision becomes another",
        "bits a word",
        details=interchange.words_by_layer,
    ),
    "interchange_class": Metric(
        interchange.interchange_class,
        "how often the sentence then tells the class that the decision became",
        details=interchange.classes_by_layer,
    ),
    "error_tracking": Metric(
        error_tracking.error_tracking,
        "where the classifier errs: how much the sentence tells the wrong class because it was decided for",
        details=error_tracking.told_without_layers,
    ),
    "randomised_classifier": Metric(
        randomised.randomised_classifier,
        "how much is said otherwise when all layers behind the features are random",
        details=randomised.by_depth,
    ),
    "comprehensiveness": Metric(
        erasure.comprehensiveness,
        "how much a word loses without the units named for it, beyond random ones",
        "bits a word",
        details=erasure.comprehensiveness_shares,
    ),
    "sufficiency": Metric(
        erasure.sufficiency,
        "how much a word keeps with the units named for it alone, beyond random ones",
        "bits a word",
        details=erasure.sufficiency_shares,
    ),
    "round_trip": Metric(
        round_trip.round_trip,
        "the share of the variance of r(x) that a reader has back from the sentence",
        sentences_only=True,
        details=round_trip.round_trip_layers,
    ),
    "round_trip_beyond_class": Metric(
        round_trip.round_trip_beyond_class,
        "the same of what r(x) has beyond the mean of the predicted class",
        sentences_only=True,
        details=round_trip.round_trip_layers_beyond_class,
    ),
    "simulatability": Metric(
        simulatability.simulatability,
        "by how much more often the decision is foreseen with the sentence than without",
        sentences_only=True,
        details=simulatability.simulatability_bins,
    ),
}
