"""Words of a sentence as HTML, each marked by a colour, a kind of line and a strength.

The text keeps the colour of the page and only its background is tinted, so that it can be read in light and
in dark themes. The line under a word tells the same as its colour, for those who see no difference between
two colours and for print.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

# Of Okabe & Ito, which people of every kind of colour vision can tell apart; neighbours differ in lightness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_LINES = ("solid", "dashed", "dotted", "double")
_NO_SPACE_BEFORE = set(".,;:!?")
_MOST_OPAQUE = 0.45  # a tint under which dark text on white and light text on black stay readable


def color_of(place: int) -> str:
    """Returns the colour of the thing, such as a layer, that is number `place` of a list."""
    return COLORS[place % len(COLORS)]


def words_html(
    words: Sequence[str],
    places: Sequence[int | None],
    strengths: Sequence[float],
    titles: Sequence[str] | None = None,
) -> str:
    """Returns a sentence of marked words.

    Args:
        words: in their order.
        places: for each word the number of what it is marked with, `None` for no mark.
        strengths: how strong each mark is, 0..1.
        titles: what is shown when the pointer rests on a word.

    Returns:
        HTML, in which all text is escaped.

    Example:

    >>> words_html(["a", "<red>"], [None, 0], [0.0, 1.0])
    '<span>a</span> <span style="background:rgba(0,114,178,0.45);border-bottom:2px solid #0072B2">\
&lt;red&gt;</span>'
    """
    titles = titles or [""] * len(words)
    parts = []
    for word, place, strength, title in zip(words, places, strengths, titles, strict=True):
        space = "" if word in _NO_SPACE_BEFORE or not parts else " "
        parts.append(f"{space}<span{_attributes(place, strength, title)}>{html.escape(word)}</span>")
    return "".join(parts)


def legend_html(names: Sequence[str]) -> str:
    """Returns which mark stands for which name, in the order of the numbers that `words_html` takes."""
    return " ".join(
        f'<span style="white-space:nowrap"><span aria-hidden="true"{_attributes(place, 1.0)}>&emsp;</span> '
        f"{html.escape(name)}</span>"
        for place, name in enumerate(names)
    )


def table_html(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Returns a table whose first row and first column are headings.

    Args:
        rows: titles of the rows.
        columns: titles of the columns.
        cells: of each row.
    """
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in ("", *columns))
    body = "".join(
        f'<tr><th scope="row">{html.escape(title)}</th>'
        + "".join(f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in of_row)
        + "</tr>"
        for title, of_row in zip(rows, cells, strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _attributes(place: int | None, strength: float, title: str = "") -> str:
    title = f' title="{html.escape(title)}"' if title else ""
    if place is None:
        return title
    color = color_of(place)
    red, green, blue = (int(color[begin : begin + 2], 16) for begin in (1, 3, 5))
    opacity = round(_MOST_OPAQUE * min(1.0, max(0.0, strength)), 2)
    line = f"{3 if _LINES[place % len(_LINES)] == 'double' else 2}px {_LINES[place % len(_LINES)]} {color}"
    return f'{title} style="background:rgba({red},{green},{blue},{opacity});border-bottom:{line}"'
