"""The rows of Table 1, as data: what each trains, from what it differs, what the paper says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from interpnet_tf.experiments.table1.settings import SETTINGS

GROUPS = ("paper", "transformer", "all", "finished")


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
        build: trains the model where `runs.train` cannot: called with a `training.Job`, returns an
            `InterpNet`.
        options: of `build`, recorded with the result.
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
    data: tuple[str, ...] = tuple(SETTINGS)


def _figures(meteor: float, bleu: float, cider: float, accuracy: float) -> dict[str, float]:
    return {"meteor_10": meteor, "bleu_4_10": bleu, "cider_10": cider, "accuracy_all": accuracy}


_PAPER = (
    Row("captioning", "Captioning", {"variant": "captioning"}, _figures(32.2, 48.2, 55.5, 81.3)),
    Row("interpnet-0", "InterpNET_0", {"variant": "interpnet-0"}, _figures(35.0, 55.6, 68.3, 81.3)),
    Row("interpnet-1", "InterpNET_1", {"variant": "interpnet-1"}, _figures(36.1, 58.7, 73.5, 81.5)),
    Row("interpnet-2", "InterpNET_2", {"variant": "interpnet-2"}, _figures(37.9, 62.3, 82.1, 79.0)),
    Row("interpnet-3", "InterpNET_3", {"variant": "interpnet-3"}, _figures(31.7, 47.3, 54.3, 76.7)),
)
_TRANSFORMER = tuple(
    Row(f"{row.name}-transformer", f"{row.title}, Transformer", {**row.changes, "decoder": "transformer"})
    for row in _PAPER
)
_FURTHER = (
    Row(
        "interpnet-2-tuned",
        "InterpNET_2, dropout 0.5",
        {"variant": "interpnet-2", "dropout": 0.5, "units": 512},
        data=("cub",),
    ),
    *(
        Row(
            f"{base}-beam",
            f"{title}, beam of 5",
            base=base,
            decoding={"sampler": "beam", "beams": 5},
            data=data,
        )
        for base, title, data in (
            ("interpnet-2", "InterpNET_2", tuple(SETTINGS)),
            ("interpnet-2-tuned", "InterpNET_2, dropout 0.5", ("cub",)),
            ("interpnet-2-transformer", "InterpNET_2, Transformer", tuple(SETTINGS)),
        )
    ),
)
ROWS: dict[str, Row] = {row.name: row for row in (*_PAPER, *_TRANSFORMER, *_FURTHER)}


def chosen(names: Sequence[str], data: str, finished: Sequence[str] = ()) -> list[Row]:
    """Resolves names of rows and of groups of rows.

    Args:
        names: of rows; or `"paper"` (the paper's rows), `"transformer"`, `"all"`, `"finished"`.
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
        "transformer": [row.name for row in _TRANSFORMER],
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
