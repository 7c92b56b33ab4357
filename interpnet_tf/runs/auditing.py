"""The audit of a run, kept in its folder, with the decoder that serves as its control."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from interpnet_tf.analysis.auditing.measuring import METRICS, audit
from interpnet_tf.analysis.faithfulness_metrics import shuffled_r
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.model import InterpNet, load
from interpnet_tf.runs.trained import Trained, weights_digest
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.support.errors import UnreadableFileError
from interpnet_tf.support.json_files import json_safe


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
        What `analysis.audit` returns. Of a run it is also left in `audit-SPLIT.json`, which its report shows.
    """
    dataset, train = trained.load(split, **mark), trained.load("train")
    print("audit: takes minutes for a thousand examples", file=sys.stderr)
    shuffled = _shuffled(trained, train)
    result = audit(trained.model, dataset, train, shuffled, None if every_metric else METRICS, seed=seed)
    if trained.folder is not None and not mark and os.access(trained.folder, os.W_OK):
        text = json.dumps(json_safe({"weights": weights_digest(trained.model), **result}), indent=1)
        write_atomically(trained.folder / f"audit-{split}.json", text.encode())
    return result


def _shuffled(trained: Trained, train: ExplanationDataset) -> InterpNet:
    if trained.folder is None:
        return shuffled_r(trained.model, train)
    path = trained.folder / f"shuffled-{weights_digest(trained.model)}.keras"
    try:
        return load(path, compile=False)
    except (FileNotFoundError, UnreadableFileError):
        print("audit: training a decoder on r(x) of the wrong examples, once", file=sys.stderr)
    shuffled = shuffled_r(trained.model, train)
    if os.access(trained.folder, os.W_OK):
        shuffled.save(path)
    return shuffled
