"""`format_table`: scores as text."""

from __future__ import annotations

from collections.abc import Sequence

_HEADERS = {
    "meteor": "METEOR",
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "cider": "CIDEr",
    "cider_d": "CIDEr-D",
    "rouge_l": "ROUGE-L",
}


def header_of(column: str) -> str:
    """Returns how tables call a score: `meteor` is METEOR."""
    return _HEADERS.get(column, column)


def format_table(rows: dict[str, dict[str, float | None]], columns: Sequence[str]) -> str:
    """Formats scores as a right-aligned table of text, times 100.

    Args:
        rows: for each row's name its scores in natural units, as `score` returns them.
        columns: which scores, in order. One that a row lacks, or whose value is `None`, is shown as "n/a".

    Returns:
        One line for the header and one a row.

    Raises:
        ValueError: if there is no row, or no row has a column.

    Example:

    >>> rows = {"InterpNET_2": {"meteor": 0.379, "bleu_4": 0.623}, "human": {"meteor": None, "bleu_4": 0.2}}
    >>> print(format_table(rows, ["meteor", "bleu_4"]))
                 METEOR  BLEU-4
    InterpNET_2    37.9    62.3
    human           n/a    20.0
    """
    if not rows:
        raise ValueError("rows must hold at least one row, got none")
    for column in columns:
        if not any(column in scores for scores in rows.values()):
            known = ", ".join(dict.fromkeys(name for scores in rows.values() for name in scores))
            raise ValueError(f"columns: no row has {column!r}; the rows have {known}")
    lines = [["", *map(header_of, columns)]]
    lines += [[name, *(_cell(scores.get(column)) for column in columns)] for name, scores in rows.items()]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]).rstrip()
        for name, *cells in lines
    )


def _cell(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f}"
