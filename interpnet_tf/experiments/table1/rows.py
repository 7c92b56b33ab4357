"""The rows of Table 1, as data: what each trains, from what it differs, what the paper says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from interpnet_tf.experiments.table1 import systems
from interpnet_tf.experiments.table1.settings import SETTINGS
from interpnet_tf.speakers.settings import CONSISTENT, RECOGNIZABLE

GROUPS = ("paper", "beam", "transformer", "gve-ablations", "all", "finished")


@dataclasses.dataclass(frozen=True)
class Row:
    """One system of the table.

    Args:
        name: as the command line takes it and files are named.
        title: as it is printed.
        changes: fields of `RunConfig` in which its training differs from `settings.SETTINGS`.
        paper: the paper's figures, times 100, by column of the table.
        base: name of the row whose trained model this row decodes in another way; `None` trains its own.
        decoding: options of `InterpNet.explain`, or of `decode`.
        decode: says the sentences, in place of `InterpNet.explain`: called with the model, a `Material`, and
            the keywords `seed` and those of `decoding`; returns an `Explanation` for each example of
            `material.judged`.
        build: trains the model where `runs.train` cannot: called with a `job.Job`, returns an
            `InterpNet`.
        options: of `build`.
        start: name of the row from whose trained model `build` goes on.
        data: the data sets that it is for.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    paper: Mapping[str, float] = dataclasses.field(default_factory=dict)
    base: str | None = None
    decoding: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    decode: Callable[..., list[Any]] | None = None
    build: Callable[..., Any] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    start: str | None = None
    data: tuple[str, ...] = tuple(SETTINGS)


def _interpnet(variant: str, title: str, meteor: float, bleu: float, cider: float, accuracy: float) -> Row:
    figures = {"meteor_10": meteor, "bleu_4_10": bleu, "cider_10": cider, "accuracy_all": accuracy}
    return Row(variant, title, {"variant": variant}, figures)


_INTERPNET = (
    _interpnet("captioning", "Captioning", 32.2, 48.2, 55.5, 81.3),
    _interpnet("interpnet-0", "InterpNET_0", 35.0, 55.6, 68.3, 81.3),
    _interpnet("interpnet-1", "InterpNET_1", 36.1, 58.7, 73.5, 81.5),
    _interpnet("interpnet-2", "InterpNET_2", 37.9, 62.3, 82.1, 79.0),
    _interpnet("interpnet-3", "InterpNET_3", 31.7, 47.3, 54.3, 76.7),
)

_SENTENCES = {"epochs": 10, "batch_size": 64, "learning_rate": 2e-3}
# Chosen on the validation photographs, see docs/discriminative.md: rewarded for all of a sentence, a decoder
# says ever longer ones that nobody writes.
_DISCRIMINATIVE = {
    "words": 10,
    "epochs": 1,
    "learning_rate": 1e-4,
    "likelihood_weight": 2.0,
    "samples": 5,
    "temperature": 0.5,
}


def _gve(name: str, title: str, ablation: str, **paper: float) -> Row:
    # The classifier of Hendricks et al. is a softmax over the image feature, as that of Captioning.
    options = {"ablation": ablation, "sentences": _SENTENCES, "discriminative": _DISCRIMINATIVE}
    return Row(name, title, {"variant": "captioning"}, paper, build=systems.gve, options=options)


_GVE = (
    _gve("gve", "Generating Visual Explanations", "explanation", meteor_5=29.2, cider_5=56.7),
    *(
        _gve(f"gve-{ablation}", f"GVE, {ablation}", ablation)
        for ablation in ("description", "definition", "explanation-label", "explanation-discriminative")
    ),
)

_PAPER = (*_INTERPNET, _GVE[0])
_TRANSFORMER = tuple(
    dataclasses.replace(
        row,
        name=f"{row.name}-transformer",
        title=f"{row.title}, Transformer",
        changes={**row.changes, "decoder": "transformer"},
        paper={},
    )
    for row in _PAPER
)

_TUNED = Row(
    "interpnet-2-tuned",
    "InterpNET_2, dropout 0.5",
    {"variant": "interpnet-2", "dropout": 0.5, "units": 512},
    data=("cub",),
)
_FURTHER = (
    _TUNED,
    Row(
        "interpnet-2-discriminative",
        "InterpNET_2 + discriminative",
        {"variant": "interpnet-2"},
        build=systems.discriminative,
        options={"sentences": _SENTENCES, "discriminative": _DISCRIMINATIVE},
        start="interpnet-2",
    ),
    Row(
        "interpnet-2-self-critical",
        f"{_TUNED.title}, self-critical",
        _TUNED.changes,
        build=systems.self_critical,
        options={"policy": {"epochs": 5, "learning_rate": 5e-5, "likelihood_weight": 0.0, "samples": 5}},
        start=_TUNED.name,
        data=_TUNED.data,
    ),
)


_BEAM_SEARCH = Row("beam", "beam", decoding={"sampler": "beam", "beams": 5})
_SPEAKERS = (
    _BEAM_SEARCH,
    Row("mbr", "minimum Bayes risk", decode=systems.minimum_bayes_risk, decoding={"samples": 20, "beams": 5}),
    Row("consistent", "consistent", decode=systems.pragmatic, decoding=CONSISTENT),
    Row("recognizable", "recognizable", decode=systems.pragmatic, decoding=RECOGNIZABLE),
)


def _spoken(row: Row, speaker: Row) -> Row:
    """Returns the row that says with a speaker what another has learnt."""
    name, title = f"{row.name}-{speaker.name}", f"{row.title}, {speaker.title}"
    return dataclasses.replace(speaker, name=name, title=title, base=row.name, data=row.data)


_TRAINED = {row.name: row for row in (*_INTERPNET, *_GVE, *_TRANSFORMER, *_FURTHER)}
_BEAM = [_spoken(row, _BEAM_SEARCH) for row in (*_PAPER, _TRAINED["gve-explanation-label"])]
_SPOKEN = _BEAM + [
    _spoken(_TRAINED[name], speaker)
    for name in ("interpnet-2", "interpnet-2-transformer", "interpnet-2-tuned")
    for speaker in _SPEAKERS
]
ROWS: dict[str, Row] = _TRAINED | {row.name: row for row in _SPOKEN}


def chosen(names: Sequence[str], data: str, finished: Sequence[str] = ()) -> list[Row]:
    """Resolves names of rows and of groups of rows.

    Args:
        names: of rows, or of `GROUPS`: `"paper"` stands for the paper's six rows, `"beam"` for what they
            say with a beam, and so says Generating Visual Explanations without its discriminative loss,
            `"transformer"` for the six with that decoder, `"gve-ablations"` for that system and its
            ablations, `"finished"` for the rows that have results.
        data: name of the data set; rows that are not for it are left out of groups.
        finished: names of the rows that have results.

    Returns:
        The rows, in the order of `ROWS`.

    Raises:
        ValueError: if a name is unknown, or its row not for the data set.

    Example:

    >>> [row.name for row in chosen(["interpnet-2", "captioning"], "cub")]
    ['captioning', 'interpnet-2']
    """
    fitting = [name for name, row in ROWS.items() if data in row.data]
    groups = {
        "paper": [row.name for row in _PAPER],
        "beam": [row.name for row in _BEAM],
        "transformer": [row.name for row in _TRANSFORMER],
        "gve-ablations": [row.name for row in _GVE],
        "all": fitting,
        "finished": [name for name in fitting if name in finished],
    }
    wanted: set[str] = set()
    for name in names:
        if name not in groups and name not in fitting:
            raise ValueError(
                f"rows: {name!r} is no row of {data}; there are the groups {', '.join(groups)} and the rows "
                f"{', '.join(fitting)}"
            )
        wanted |= {name} & set(fitting) | set(groups.get(name, ()))
    return [ROWS[name] for name in fitting if name in wanted]
