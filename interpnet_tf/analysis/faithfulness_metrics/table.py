"""`report`: what `faithfulness` returned, for reading."""

from __future__ import annotations

from typing import Any


def report(result: dict[str, Any]) -> str:
    """Formats what `faithfulness` returned for reading.

    Args:
        result: of `faithfulness`.

    Returns:
        For each metric a line that says what it means and a table: the model and the controls, over all
        examples, right and wrong classifications, with 95 % intervals in brackets; then its details.
    """
    blocks = []
    for name, entry in result.items():
        unit = f", {entry['unit']}" if entry["unit"] else ""
        rows = {"model": entry, **entry["controls"]}
        lines = [f"{name} ({entry['better']} is more faithful{unit}): {entry['meaning']}"]
        lines += _table(
            ["", "all", "right", "wrong"],
            [[row, *map(_cell, (of_row, of_row["right"], of_row["wrong"]))] for row, of_row in rows.items()],
        )
        if "details" in entry:
            lines += _table(["", "model"], [[part, _cell(one)] for part, one in entry["details"].items()])
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _cell(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "n/a"
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [header, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return [
        "  " + "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]).rstrip()
        for name, *cells in lines
    ]
