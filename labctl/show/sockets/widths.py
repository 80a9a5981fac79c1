"""How wide tables and boxes are, and how many lanes there are between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from labctl.observe.sockets.model import Process, Snapshot
from labctl.show.sockets import words

LABEL = 16
"""Cells of a field's label, with the space after it."""
_MOST_LANES = 6
_LEAST_LEFT, _MOST_LEFT, _LEAST_RIGHT = 22, 60, 30
_BORDERS = 4
LEAST_WIDTH = _LEAST_LEFT + _LEAST_RIGHT + 2 * _BORDERS + 5
"""In less the figure is not drawn narrower."""


@dataclass(frozen=True)
class Widths:
    """Cells inside a table and a box, without borders and margins, and the lanes between."""

    left: int
    lanes: int
    right: int

    @property
    def gap(self) -> int:
        return 5 + 2 * self.lanes

    @property
    def box(self) -> int:
        """The column where boxes begin."""
        return self.left + _BORDERS + self.gap


def fitting(snapshot: Snapshot, width: int) -> Widths:
    """Return the widths with which a snapshot fits into `width` cells, or LEAST_WIDTH where
    that is more."""
    shared = sum(len(held) > 1 for held in snapshot.holders.values())
    lanes = max(0, min(shared, _MOST_LANES, (width - LEAST_WIDTH) // 2))
    room = max(width, LEAST_WIDTH) - Widths(0, lanes, 0).gap - 2 * _BORDERS
    left = max(_lefts(snapshot), default=0)
    right = max(_rights(snapshot), default=0)
    half = max(room - right, room // 2)
    left = max(_LEAST_LEFT, min(left, _MOST_LEFT, half, room - _LEAST_RIGHT))
    return Widths(left, lanes, max(_LEAST_RIGHT, min(right, room - left)))


def _lefts(snapshot: Snapshot) -> Iterator[int]:
    for process in snapshot.processes:
        yield cell_len(words.process_title(process))
        yield from map(cell_len, words.process_lines(process))
        before = indent(process)
        yield from (before + cell_len(words.entry(one)) for one in process.descriptors)


def _rights(snapshot: Snapshot) -> Iterator[int]:
    for one in snapshot.held.values():
        for told in (*words.structure(one), *words.rest(one, snapshot)):
            yield LABEL + cell_len(told.value)


def indent(process: Process) -> int:
    """Return the cells before the words of a table's entries: its widest number, two spaces."""
    return max((len(str(one.fd)) for one in process.descriptors), default=1) + 2
