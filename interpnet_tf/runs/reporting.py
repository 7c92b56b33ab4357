"""The report of a run: its page, made of what the run folder and its data hold."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from interpnet_tf.analysis.auditing import for_report
from interpnet_tf.analysis.report import Audit, Carried, write_report
from interpnet_tf.data import cub
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.runs.evaluation import evaluate_run
from interpnet_tf.runs.folder import read_history
from interpnet_tf.runs.trained import Trained, weights_digest
from interpnet_tf.speakers import Reasons
from interpnet_tf.support.errors import UnreadableFileError
from interpnet_tf.support.json_files import json_safe, read_record

_LEARNT = 6000  # examples that reasons are learnt on at most, so that a report does not take hours


def report_run(
    trained: Trained,
    path: str | os.PathLike,
    split: str = "test",
    *,
    examples: int = 12,
    worst: str | None = None,
    mark: Mapping[str, str] | None = None,
    decoding: Mapping[str, Any] | None = None,
    carried: Carried | None = None,
    audit: Audit | None = None,
    reasons: bool = False,
) -> None:
    """Writes the report of a trained model, see `analysis.report.write_report`.

    The scores are those that `interpnet evaluate` has left in the run folder; where there are none of this
    split, mark and decoding they are computed.

    Args:
        trained: the model and its data.
        path: of the page.
        split: such as `"test"`; of its examples those with sentences are shown, if any has one.
        examples, worst: see `write_report`.
        mark: the option of the data set's `load` of that name, where it is given.
        decoding: how the words are chosen.
        carried: what carried the decision of each example of the split; `None` estimates it of those that are
            shown, where the training examples have several sentences each.
        audit: of the model; `None` takes what `interpnet audit` has left in the run folder, if it has.
        reasons: whether the examples are shown with the sentences of `speakers.Reasons`.

    Raises:
        ValueError: if the data are not those of the model, or the reasons cannot be learnt from them.
    """
    mark, decoding = dict(mark or {}), dict(decoding or {"seed": 0})
    if reasons and "sampler" in decoding:
        raise ValueError("reasons are chosen among a beam and draws; leave out the sampler")
    dataset = trained.load(split, **mark)
    scores = None
    if len(dataset.explained()):
        scores = _kept_scores(trained, split, mark, decoding)
        scores = scores or json_safe(evaluate_run(trained, split, mark, decoding))
        if len(dataset.explained()) < len(dataset) and carried is None:
            dataset = dataset.explained()
    speaker = _speaker(trained, reasons) if reasons or carried is None else None
    write_report(
        path,
        trained.model,
        dataset,
        f"{trained.name} on {Path(trained.config.data).name}, {split} examples",
        scores=scores,
        histories={} if trained.folder is None else read_history(trained.folder),
        pictures=_photographs(trained, dataset),
        carried=speaker.scores if speaker is not None and carried is None else carried,
        speaker=speaker if reasons else None,
        audit=_kept_audit(trained, split, mark) if audit is None else audit,
        examples=examples,
        worst=worst,
        **decoding,
    )


def _speaker(trained: Trained, needed: bool) -> Reasons | None:
    """Returns what knows the reasons, `None` where they cannot be learnt and are not needed."""
    train = trained.load("train").explained()
    if not needed and sum(map(len, train.explanations)) < 2 * len(train):
        return None
    try:
        return Reasons(trained.model, train.subset(range(0, len(train), -(-len(train) // _LEARNT) or 1)))
    except ValueError:
        if needed:
            raise
        return None


def _kept_scores(
    trained: Trained, split: str, mark: dict[str, str], decoding: dict[str, Any]
) -> dict[str, Any] | None:
    """Returns the scores in the run folder, where they are those of this mark and decoding."""
    path = None if trained.folder is None else trained.folder / f"metrics-{split}.json"
    if path is None or not path.exists():
        return None
    scores = read_record(path, "the scores of a run", "remove it, and they are computed anew")
    same = scores.get("decoding", {"seed": 0}) == json.loads(json.dumps(decoding))
    return scores if same and scores.get("mark") == mark.get("mark") else None


def _kept_audit(trained: Trained, split: str, mark: dict[str, str]) -> Audit | None:
    path = None if trained.folder is None else trained.folder / f"audit-{split}.json"
    if path is None or mark or not path.exists():
        return None
    advice = "delete it, and run interpnet audit again"
    kept = read_record(path, "an audit", advice)
    try:
        return for_report(kept) if kept["weights"] == weights_digest(trained.model) else None
    except (KeyError, TypeError) as error:
        raise UnreadableFileError(f"{path} is no whole audit; {advice}") from error


def _photographs(trained: Trained, dataset: ExplanationDataset) -> Callable[[int], Any] | None:
    """Returns what finds the photographs of examples whose inputs are features, where they are on disk."""
    if trained.config.data != "cub" or dataset.inputs.ndim == 4:
        return None
    root = trained.root or trained.config.root
    return lambda index: cub.photograph(root, dataset.ids[index])
