"""What carried a classifier's decision about a drawn bird, exactly; and whether its sentences say so.

On sketchbirds a part of a bird can be repainted and everything else left as it is. What the decision then
does is the part's effect on it, and no estimate. A sentence says the reason if it names a part whose effect
is large; so can be judged whatever speaks of a decision, and whatever ranks the parts of a picture.
"""

from interpnet_tf.experiments.reasons.effects import PARTS, Effects, measure_effects
from interpnet_tf.experiments.reasons.judging import (
    effect_of_first,
    effect_said,
    mean_effects_elsewhere,
    named_parts,
    names_reason,
    rank_correlation,
    reason_among_first,
)
from interpnet_tf.experiments.reasons.mentions import CounterfactualMentions, counterfactual_mentions
from interpnet_tf.experiments.reasons.of_run import carried_by, effects_of_run
from interpnet_tf.experiments.reasons.phrases import score_phrases
from interpnet_tf.experiments.reasons.table import SPEAKERS, report, score_speakers

__all__ = [
    "PARTS",
    "SPEAKERS",
    "CounterfactualMentions",
    "Effects",
    "carried_by",
    "counterfactual_mentions",
    "effect_of_first",
    "effect_said",
    "effects_of_run",
    "mean_effects_elsewhere",
    "measure_effects",
    "named_parts",
    "names_reason",
    "rank_correlation",
    "reason_among_first",
    "report",
    "score_phrases",
    "score_speakers",
]
