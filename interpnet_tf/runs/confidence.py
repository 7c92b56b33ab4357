"""The confidence of a run's sentences: learnt when it is first asked for, and kept in the run folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any

from interpnet_tf.analysis.abstention.confidence import Confidence
from interpnet_tf.analysis.abstention.criteria import Criterion, FactsTrue, PhrasesTrue, TellsClass
from interpnet_tf.data import cub_attributes
from interpnet_tf.runs.trained import Trained, weights_digest
from interpnet_tf.support.errors import UnreadableFileError


def confidence_of(trained: Trained, **options: Any) -> Confidence:
    """Returns the confidence of a run's sentences, learnt on its validation data.

    What true means is what is known of the data: `FactsTrue` where there are facts; of CUB, where its
    attributes lie beside the pictures, `PhrasesTrue`; else `TellsClass`.

    Args:
        trained: a run.
        **options: of `InterpNet.explain`. What was learnt is kept in a file of the run folder that is named
            after them and the weights.

    Raises:
        ValueError: if it is no run, which knows its data.
    """
    if trained.folder is None:
        raise ValueError(
            f"{trained.path} does not know data to learn a confidence on; name a run folder, or use "
            "analysis.Confidence in Python"
        )
    known = json.dumps([weights_digest(trained.model), options], sort_keys=True)
    digest = hashlib.sha256(known.encode()).hexdigest()[:16]
    path = trained.folder / f"confidence-{digest}.json"
    with contextlib.suppress(FileNotFoundError, UnreadableFileError):  # a damaged one is written anew
        return Confidence.load(path, trained.model)
    confidence = Confidence(trained.model, _criterion(trained), **options)
    confidence.fit(trained.load("validation"))
    if os.access(trained.folder, os.W_OK):
        confidence.save(path)
    return confidence


def _criterion(trained: Trained) -> Criterion:
    if trained.config.data == "sketchbirds":
        return FactsTrue()
    if trained.config.data == "cub":
        try:
            return PhrasesTrue(cub_attributes.load(trained.root or trained.config.root))
        except FileNotFoundError:
            pass
    return TellsClass(trained.load("train"))
