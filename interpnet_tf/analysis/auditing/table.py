"""An audit as text of one screen."""

from __future__ import annotations

import textwrap
from typing import Any

from interpnet_tf.analysis.report import Audit, AuditRow
from interpnet_tf.metrics.table import format_table

_NOUNS = 10
_FEW = 30  # examples, below which their number is told
_WIDTH = 100


def report(result: dict[str, Any]) -> str:
    """Formats what `audit` returned for reading.

    Args:
        result: of `audit`.

    Returns:
        Several lines: the verdict first, then what it rests on; shares times 100.
    """
    decision = result["foretold"]
    carried = {name: _bounds(figure) for name, figure in result["carried"].items()}
    nouns = {
        row["noun"]: {name: row[name] for name in ("score", "greedy", "reasons", "one human")}
        for row in result["nouns"][:_NOUNS]
    }
    lines = [*textwrap.wrap(result["verdict"], _WIDTH), ""]
    if decision["value"] is not None:
        lines += [
            f"decisions foretold x 100: {100 * decision['value']:.1f} by what people say of the examples, "
            f"{100 * decision['others']:.1f} by what they say of others ({decision['classes']} classes, each "
            "left out)",
            "",
        ]
    lines += [
        "what the phrases of a sentence carry x 100, of the strongest phrase",
        format_table(carried, ("carried", "from", "to")),
    ]
    if nouns:
        lines += [
            "",
            f"what carries most x 100 ({result['examples']} examples), and the share of sentences naming it",
            format_table(nouns, ("score", "greedy", "reasons", "one human")),
        ]
    if result["faithfulness"]:
        lines += ["", "does the decoder hear the decision? (95 % intervals)"]
        lines += [_line(name, metric) for name, metric in result["faithfulness"].items()]
    return "\n".join(lines)


def for_report(result: dict[str, Any]) -> Audit:
    """Returns an audit as the page of `interpnet report` shows it.

    Args:
        result: of `audit`.
    """
    speakers = {
        "greedy": "what the sentences name carries, of what the strongest phrase does",
        "reasons": "the same of speakers.Reasons",
        "one human": "the same of one person",
        "constant": "the same of one sentence said of everything",
    }
    rows = [
        AuditRow(f"carried, {name}", *_percent(result["carried"][name]), meaning)
        for name, meaning in speakers.items()
    ]
    if result["foretold"]["value"] is not None:
        meaning = (
            "of the decisions follow from what people say, learnt from other classes; a shortcut is below 0"
        )
        rows.insert(0, AuditRow("foretold", *_percent(result["foretold"]), meaning))
    for name, metric in result["faithfulness"].items():
        meaning = f"{metric['unit']} {metric['meaning']}".strip()
        rows.append(AuditRow(name, *_number(metric), meaning))
    return Audit(rows, result["verdict"])


def _bounds(figure: dict[str, Any]) -> dict[str, float | None]:
    low, high = figure["interval"] or (None, None)
    return {"carried": figure["value"], "from": low, "to": high}


def _percent(figure: dict[str, Any]) -> tuple[str, str]:
    if figure["value"] is None:
        return "n/a", ""
    low, high = figure["interval"]
    return f"{figure['value']:.0%}", f"{low:.0%} to {high:.0%}"


def _line(name: str, metric: dict[str, Any]) -> str:
    beside = "".join(f"; {control} {_cell(figure)}" for control, figure in metric["controls"].items())
    unit = f" {metric['unit']}" if metric["unit"] else ""
    return f"{name}: {_cell(metric)}{unit}{beside}"


def _cell(figure: dict[str, Any]) -> str:
    value, interval = _number(figure)
    return f"{value} ({interval})" if interval else value


def _number(figure: dict[str, Any]) -> tuple[str, str]:
    if figure["value"] is None:
        return "n/a", ""
    low, high = figure["interval"]
    few = f", {figure['examples']} examples" if figure["examples"] < _FEW else ""
    return f"{figure['value']:.2f}", f"{low:.2f} to {high:.2f}{few}"
