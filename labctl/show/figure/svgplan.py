"""Where lifelines and rows are on the page, in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labctl.show.figure.arranging import label_sides, levels, neighbours
from labctl.show.figure.labels import Line, arrow_label, bar_lines, lane_name
from labctl.show.figure.metrics import width
from labctl.show.figure.model import Figure
from labctl.show.figure.svgrows import (
    BAR,
    CALL,
    HEAD,
    LINE,
    MARGIN,
    SMALL,
    WORD,
    label_lifts,
    rows_of,
)
from labctl.show.figure.units import clock, clock_unit, shorten

_WIRE = (250.0, 420.0)
_BESIDE = 54.0
_LONGEST = 60
"""Characters of a call's label."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`x` has the middle of each lane, `y` of each row, `lines` the label of each bar."""

    figure: Figure
    width: float
    times: float
    x: tuple[float, ...]
    y: tuple[float, ...]
    left: tuple[bool, ...]
    level: tuple[int, ...]
    levels: tuple[int, ...]
    lines: tuple[tuple[Line, ...], ...]
    lifts: tuple[float, ...]
    """How far above its row each bar's label stands, so that an arrow beside it stays free."""

    @property
    def bottom(self) -> float:
        """The lower end of the lowest lifeline."""
        tallest = max((len(lines) for lines in self.lines), default=1)
        return (self.y[-1] if self.y else HEAD) + tallest * LINE

    def side(self, lane: int) -> float:
        """Return where the labels of a lane end (on its left) or begin (on its right)."""
        away = BAR / 2 + 7 + (self.levels[lane] - 1) * (BAR - 2)
        return self.x[lane] + (-away if self.left[lane] else away)


def plan(figure: Figure, extra: Mapping[int, float]) -> Plan:
    """Return the measures; `extra` has how many more pixels to leave before a row."""
    left = label_sides(figure)
    level, many = levels(figure)
    lines = tuple(bar_lines(bar, _LONGEST) for bar in figure.bars)
    times = MARGIN + _time_width(figure) + 14
    x, right = _places(figure, times, left, _rooms(figure, lines, many))
    lifts = label_lifts(figure, left)
    y = rows_of(figure, lines, lifts, extra)
    return Plan(figure, max(right, 560.0), times, x, y, left, level, many, lines, lifts)


def _time_width(figure: Figure) -> float:
    last = figure.rows[-1] if figure.rows else 0
    unit = clock_unit(last)
    return max(width(f"{clock(last, unit)} {unit}", SMALL, mono=True), 60.0)


def _rooms(figure: Figure, lines: Sequence[tuple[Line, ...]], many: Sequence[int]) -> list[float]:
    """Return how wide the labels of each lane are, with the bars that stand side by side."""
    rooms = [30.0] * len(figure.lanes)
    for bar, some in zip(figure.bars, lines, strict=True):
        for line in some:
            rooms[bar.lane] = max(rooms[bar.lane], width(line.text, CALL, mono=True))
    for mark in figure.marks:
        rooms[mark.lane] = max(rooms[mark.lane], width(mark.text, SMALL, bold=True) + 14)
    return [
        room + BAR / 2 + 12 + (levels - 1) * (BAR - 2)
        for room, levels in zip(rooms, many, strict=True)
    ]


def _places(
    figure: Figure, times: float, left: Sequence[bool], rooms: Sequence[float]
) -> tuple[tuple[float, ...], float]:
    """Return the middle of each lane, and the picture's right edge."""
    words = max((width(arrow_label(arrow), WORD) for arrow in figure.arrows), default=0.0)
    wire = min(max(_WIRE[0], words + 90), _WIRE[1])
    found: list[float] = []
    close, x = neighbours(figure), times
    for lane, room in enumerate(rooms):
        half = _name_width(figure, lane) / 2
        before = room if left[lane] else 0.0
        if lane:
            before += wire if lane in close else _BESIDE
            names = _name_width(figure, lane - 1) / 2 + half + 12
            before = max(before, names - (x - found[-1]))
        else:
            before = max(before, half + 6)
        x += before
        found.append(x)
        x += 0.0 if left[lane] else room
    after = _name_width(figure, len(rooms) - 1) / 2 if rooms else 0.0
    return tuple(found), max(x, (found or [0.0])[-1] + after) + MARGIN


def _name_width(figure: Figure, lane: int) -> float:
    return width(shorten(lane_name(figure.lanes[lane]), 26), SMALL, bold=True) + 14
