"""The audit of a run; the decoder that serves as its control is trained once, and kept in the run folder."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from interpnet_tf.analysis.auditing.measuring import METRICS, audit
from interpnet_tf.analysis.faithfulness_metrics import shuffled_r
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.model import InterpNet, load
from interpnet_tf.runs.trained import Trained
from interpnet_tf.support.errors import UnreadableFileError


def audit_run(
    trained: Trained, split: str, mark: Mapping[str, str], every_metric: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Audits a trained model, see `analysis.audit`.

    Args:
        trained: the model and its data.
        split: such as `"test"`.
        mark: the option of `sketchbirds.load` of that name, where it is given.
        every_metric: whether every faithfulness metric is computed.
        seed: of every draw.

    Returns:
        What `analysis.audit` returns.
    """
    dataset, train = trained.load(split, **mark), trained.load("train")
    shuffled = _shuffled(trained, train)
    return audit(trained.model, dataset, train, shuffled, None if every_metric else METRICS, seed=seed)


def _shuffled(trained: Trained, train: ExplanationDataset) -> InterpNet:
    if trained.folder is None:
        return shuffled_r(trained.model, train)
    digest = hashlib.sha256()
    for array in trained.model.get_weights():
        digest.update(np.ascontiguousarray(array))
    path = trained.folder / f"shuffled-{digest.hexdigest()[:16]}.keras"
    try:
        return load(path, compile=False)
    except (FileNotFoundError, UnreadableFileError):
        print("audit: training a decoder on r(x) of the wrong examples, once", file=sys.stderr)
    shuffled = shuffled_r(trained.model, train)
    if os.access(trained.folder, os.W_OK):
        shuffled.save(path)
    return shuffled
