"""The measures of an SVG figure, in pixels, and where its rows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.show.figure.arranging import breaks
from labctl.show.figure.labels import Line
from labctl.show.figure.model import Figure

MARGIN = 20.0
CALL, WORD, SMALL, NAME, TITLE = 12.5, 12.0, 11.0, 15.0, 18.0
"""Heights of the fonts: of calls, words on arrows, times and states, hosts, the title."""

BAR = 10.0
LINE = 16.0
"""From one line of a label to the next."""

ROW, SLANT, CUT, LIFT = 22.0, 34.0, 30.0, 10.0
"""Between rows; where an arrow ends in the next row; more where time is cut short, and where a
label is lifted."""

MANY = 120.0
"""The least height of an arrow that stands for many segments."""

HEAD = 138.0
"""From the top to the first row."""


def label_lifts(figure: Figure, left: Sequence[bool]) -> tuple[float, ...]:
    """Return how far labels are lifted from which an arrow goes out on their side."""
    out = {
        (arrow.source, arrow.first)
        for arrow in figure.arrows
        if (arrow.target < arrow.source) == left[arrow.source]
    }
    return tuple(LIFT if (bar.lane, bar.first) in out else 0.0 for bar in figure.bars)


def rows_of(
    figure: Figure,
    lines: Sequence[tuple[Line, ...]],
    lifts: Sequence[float],
    extra: Mapping[int, float],
) -> tuple[float, ...]:
    """Return the middle of each row; labels of one lane stand below each other."""
    heights: dict[int, list[tuple[int, float, float]]] = {}
    for bar, some, lift in zip(figure.bars, lines, lifts, strict=True):
        heights.setdefault(bar.first, []).append((bar.lane, len(some) * LINE - lift, lift))
    for mark in figure.marks:
        heights.setdefault(mark.row, []).append((mark.lane, LINE, 0.0))
    many: dict[int, int] = {}
    for arrow in figure.arrows:
        if len(arrow.segments) > 1 and arrow.last > arrow.first:
            many[arrow.last] = max(arrow.first, many.get(arrow.last, 0))
    arrives = {arrow.last for arrow in figure.arrows if arrow.last - arrow.first == 1}
    cut, free = breaks(figure), [0.0] * len(figure.lanes)
    found: list[float] = []
    y = HEAD - ROW
    for row in range(len(figure.rows)):
        y += SLANT if row in arrives else ROW
        y += extra.get(row, 0.0) + (CUT if row - 1 in cut else 0.0)
        here = heights.get(row, ())
        y = max([y, *(free[lane] + lift for lane, _, lift in here)])
        y = max(y, found[many[row]] + MANY) if row in many else y
        for lane, below, _ in here:
            free[lane] = max(free[lane], y + below + 2)
        found.append(y)
    return tuple(found)
