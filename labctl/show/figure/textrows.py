"""On which line of a sheet each row of a figure is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.show.figure.arranging import breaks
from labctl.show.figure.labels import Line, bar_lines
from labctl.show.figure.model import Bar, Figure
from labctl.show.figure.textplan import Plan


def labels_of(figure: Figure, plan: Plan) -> list[tuple[Bar, tuple[Line, ...]]]:
    """Return each bar with its label, as long as its lane has room for."""
    return [(bar, bar_lines(bar, plan.room[bar.lane])) for bar in figure.bars]


def lines_of_rows(
    figure: Figure,
    labels: Sequence[tuple[Bar, tuple[Line, ...]]],
    extra: Mapping[int, int],
) -> list[int]:
    """Return the line of each row; `extra` has how many lines to leave free before a row.

    Labels of one lane stand below each other, and there is a line for each cut in time.
    """
    heights: dict[int, list[tuple[int, int]]] = {}
    for bar, lines in labels:
        heights.setdefault(bar.first, []).append((bar.lane, len(lines)))
    for mark in figure.marks:
        heights.setdefault(mark.row, []).append((mark.lane, 1))
    cut, free, found, y = breaks(figure), [0] * len(figure.lanes), [], -1
    for row in range(len(figure.rows)):
        y += 1 + extra.get(row, 0) + (row - 1 in cut)
        here = heights.get(row, ())
        y = max([y, *(free[lane] for lane, _ in here)])
        for lane, height in here:
            free[lane] = max(free[lane], y) + height
        found.append(y)
    return found
