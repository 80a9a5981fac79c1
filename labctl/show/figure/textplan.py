"""Where lifelines stand on a sheet of characters, and how much room their labels have."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from labctl.show.figure.arranging import label_sides, levels, neighbours
from labctl.show.figure.labels import arrow_label, bar_lines, lane_name
from labctl.show.figure.model import Figure
from labctl.show.figure.units import clock, clock_unit

SHORTEST = 6
"""The least room of a label that is longer."""

UNFINISHED = 9
"""The least room of `no return`."""

LONGEST = 52
"""A label gets no more room than this."""

WIRE = (9, 30)
"""The least and the wanted distance where arrows go, apart from labels."""

BESIDE = 3
"""The least distance between other lifelines, apart from labels."""

_ANY = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Measures in characters. `x` has the cell of each lifeline, `room` that of its labels."""

    width: int
    times: int
    x: tuple[int, ...]
    room: tuple[int, ...]
    left: tuple[bool, ...]
    level: tuple[int, ...]
    levels: tuple[int, ...]

    def wire(self) -> int:
        """Return the most characters that an arrow's label can have."""
        gaps = []
        for lane, (x, after) in enumerate(zip(self.x, self.x[1:], strict=False)):
            taken = 0 if self.left[lane] else self._gutter(lane)
            taken += self._gutter(lane + 1) if self.left[lane + 1] else 0
            gaps.append(after - x - taken - 3)
        return max(gaps, default=LONGEST)

    def _gutter(self, lane: int) -> int:
        return self.room[lane] + self.levels[lane] + 1


def plan(figure: Figure, width: int) -> Plan:
    """Return the measures of a figure for a terminal of so many columns.

    A figure of many hosts may need more; its `width` tells.
    """
    left = label_sides(figure)
    level, many = levels(figure)
    needs = [_need(figure, lane) for lane in range(len(figure.lanes))]
    unit = clock_unit(figure.rows[-1] if figure.rows else 0)
    times = max([len(clock(ns, unit)) for ns in figure.rows[-1:]] + [8]) + 2
    least_ones = _least(figure)
    parts = [_Part(min(n, few), n) for n, few in zip(needs, least_ones, strict=True)]
    gaps = _gaps(figure, [side + 1 for side in many])
    least = times + sum(part.least for part in [*parts, *gaps])
    want = times + sum(part.want for part in [*parts, *gaps])
    share = min(1.0, max(0.0, (width - least) / max(want - least, 1)))
    room = tuple(part.at(share) for part in parts)
    x = _places(times, room, left, [gap.at(share) for gap in gaps])
    return Plan(max(width, least), times, x, room, left, level, many)


@dataclass(frozen=True, slots=True)
class _Part:
    least: int
    want: int

    def at(self, share: float) -> int:
        return self.least + int((self.want - self.least) * share)


def _need(figure: Figure, lane: int) -> int:
    bars = (bar for bar in figure.bars if bar.lane == lane)
    lines = [line.text for bar in bars for line in bar_lines(bar, _ANY)]
    lines += [mark.text for mark in figure.marks if mark.lane == lane and mark.kind != "fork"]
    # The name stands above the line, half of it on each side.
    name = lane_name(figure.lanes[lane])
    return min(max([*map(cell_len, lines), cell_len(name) // 2 + 1, 4]), LONGEST)


def _least(figure: Figure) -> list[int]:
    """Return the least room of each lane's labels: a call that never returned has to say so."""
    stuck = {bar.lane for bar in figure.bars if not bar.returned}
    return [UNFINISHED if lane in stuck else SHORTEST for lane in range(len(figure.lanes))]


def _gaps(figure: Figure, beside: list[int]) -> list[_Part]:
    """Return what is before, between and after the lifelines, apart from their labels."""
    words = [len(arrow_label(arrow)) + 6 for arrow in figure.arrows]
    want = max(min(max(words, default=0), WIRE[1] + 8), WIRE[1])
    close, gaps = neighbours(figure), [_Part(side, side) for side in beside[:1]]
    for number in range(1, len(figure.lanes)):
        low, high = (WIRE[0], want) if number in close else (BESIDE, BESIDE + 3)
        gaps.append(_Part(low + beside[number], high + beside[number]))
    return [*gaps, _Part(1, 2)]


def _places(
    times: int, room: tuple[int, ...], left: tuple[bool, ...], gaps: list[int]
) -> tuple[int, ...]:
    found, x = [], times
    for lane, gap in enumerate(gaps[:-1]):
        x += gap + (room[lane] if left[lane] else 0)
        found.append(x)
        x += 0 if left[lane] else room[lane]
    return tuple(found)
