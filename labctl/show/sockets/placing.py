"""Where tables and boxes stand: tables on the left, the sockets' boxes on the right.

The row of the first descriptor of a socket stands beside the top of its box, so that its arrow
is straight; a table is stretched where that needs room. Further descriptors of the same socket
reach the box over a lane, a column of the gap between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from labctl.observe.sockets.model import Descriptor, KernelSocket, Process, Snapshot
from labctl.show.sockets import widths, words
from labctl.show.sockets.canvas import folded, shortened


@dataclass(frozen=True)
class Row:
    """An entry of a table: its first row, its lines, and the socket it stands for, by inode."""

    y: int
    entry: Descriptor
    lines: Sequence[str]
    inode: int | None


@dataclass(frozen=True)
class Table:
    process: Process
    top: int
    head: Sequence[str]
    rows: Sequence[Row]
    bottom: int


@dataclass(frozen=True)
class Box:
    """A socket's box; `parts` are the lines of its fields, the figure's and the others."""

    socket: KernelSocket
    top: int
    parts: tuple[Sequence[words.Field], Sequence[words.Field]]
    bottom: int

    @property
    def target(self) -> int:
        """The row at which arrows reach it."""
        return self.top + 1


@dataclass
class Places:
    """All that is to be drawn; `lanes` has the number of each socket's lane, by inode."""

    widths: widths.Widths
    tables: list[Table] = field(default_factory=list)
    boxes: dict[int, Box] = field(default_factory=dict)
    lanes: dict[int, int] = field(default_factory=dict)
    ends: dict[int, list[int]] = field(default_factory=dict)
    """The rows of each socket's descriptors but the one right beside its box, by inode."""


def place(snapshot: Snapshot, width: int) -> Places:
    """Find a place for everything within `width` cells, or LEAST_WIDTH where that is more."""
    places = Places(widths.fitting(snapshot, width))
    y = right = 0
    for process in snapshot.processes:
        top = y
        told = words.process_lines(process)
        head = [line for text in told for line in _two_lines(text, places.widths.left)]
        y += len(head) + 2
        rows, indent = [], widths.indent(process)
        for entry in process.descriptors:
            inode = entry.inode if entry.kind == "socket" else None
            one = snapshot.held.get(inode) if inode is not None else None
            if one is not None and one.inode not in places.boxes:
                y = max(y, right + 1)
                places.boxes[one.inode] = _box(one, snapshot, y - 1, places.widths.right)
                right = places.boxes[one.inode].bottom + 1
            lines = _entry_lines(entry, indent, places.widths.left)
            rows.append(Row(y, entry, lines, None if one is None else one.inode))
            if one is not None and y != places.boxes[one.inode].target:
                places.ends.setdefault(one.inode, []).append(y)
            y += len(lines)
        places.tables.append(Table(process, top, head, rows, y))
        y += 1
    places.lanes = _lanes(places)
    return places


def _two_lines(text: str, width: int) -> list[str]:
    first, *others = folded(text, width)
    return [first, shortened(" ".join(others), width)] if others else [first]


def _entry_lines(entry: Descriptor, indent: int, width: int) -> list[str]:
    first, *others = folded(words.entry(entry), width - indent)
    number = f"{entry.fd:>{indent - 2}}  "
    return [number + first, *(" " * indent + line for line in others)]


def _box(one: KernelSocket, snapshot: Snapshot, top: int, width: int) -> Box:
    parts = (
        list(_field_lines(words.structure(one), width)),
        list(_field_lines(words.rest(one, snapshot), width)),
    )
    return Box(one, top, parts, top + len(parts[0]) + len(parts[1]) + 2)


def _field_lines(
    fields: Iterator[words.Field] | Sequence[words.Field], width: int
) -> Iterator[words.Field]:
    for told in fields:
        label = told.label
        for line in folded(told.value, width - widths.LABEL):
            yield words.Field(label, line, told.of, told.style)
            label = ""


def _lanes(places: Places) -> dict[int, int]:
    """Give each socket with further descriptors the leftmost lane that is free there.

    Those that find none stay without: the number in the table tells which box is theirs.
    """
    lanes: dict[int, int] = {}
    taken = [-1] * places.widths.lanes
    for inode, box in places.boxes.items():  # from top to bottom
        free = [lane for lane, last in enumerate(taken) if last < box.target]
        if inode in places.ends and free:
            lanes[inode] = free[0]
            taken[free[0]] = places.ends[inode][-1]
    return lanes
