"""Draws descriptor tables and sockets, with an arrow from each descriptor to its socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from labctl.observe.sockets.model import Snapshot
from labctl.show.sockets import words
from labctl.show.sockets.canvas import Canvas, shortened
from labctl.show.sockets.marks import Marks
from labctl.show.sockets.placing import Box, Places, Table, place
from labctl.show.sockets.widths import LABEL

_LANE_STYLES = ("cyan", "magenta", "green", "yellow", "blue", "red")
_CHANGED = "bold yellow"


def draw(snapshot: Snapshot, width: int, marks: Marks) -> list[Text]:
    """Return the lines of the figure, at most `width` cells wide (LEAST_WIDTH where that is
    more); what is marked has a `*` before it."""
    canvas = Canvas()
    places = place(snapshot, width)
    for table in places.tables:
        _table(canvas, table, places.widths.left, marks)
    for box in places.boxes.values():
        _box(canvas, box, places.widths.box, places.widths.right, marks)
    _arrows(canvas, places)
    return canvas.lines()


def _frame(canvas: Canvas, x: int, rows: Sequence[int], inner: int, title: Text) -> None:
    """Draw a frame; `rows` are those of its horizontal lines, from top to bottom."""
    right = x + inner + 3
    top, *between, bottom = rows
    canvas.down(x, top, bottom)
    canvas.down(right, top, bottom)
    for y, left_end, right_end in (
        (top, "┌", "┐"),
        *((y, "├", "┤") for y in between),
        (bottom, "└", "┘"),
    ):
        canvas.across(x, right, y)
        canvas.put(x, y, left_end)
        canvas.put(right, y, right_end)
    canvas.put(x + 1, top, f" {shortened(title.plain, inner)} ", str(title.style))


def _table(canvas: Canvas, table: Table, inner: int, marks: Marks) -> None:
    process = table.process
    style = _CHANGED if marks.process(process.pid) else "bold"
    title = Text(words.process_title(process), style)
    under_head = table.top + len(table.head) + 1
    _frame(canvas, 0, (table.top, under_head, table.bottom), inner, title)
    for y, line in enumerate(table.head, table.top + 1):
        canvas.put(2, y, line, "dim")
    for row in table.rows:
        changed = marks.descriptor(process.pid, row.entry.fd)
        for y, line in enumerate(row.lines, row.y):
            canvas.put(2, y, line, _CHANGED if changed else "")
        if changed:
            canvas.put(1, row.y, "*", _CHANGED)


def _box(canvas: Canvas, box: Box, x: int, inner: int, marks: Marks) -> None:
    first, second = box.parts
    new = marks.socket(box.socket.key)
    title = Text(words.title(box.socket), _CHANGED if new else "bold")
    middle = box.target + len(first)
    _frame(canvas, x, (box.top, middle, box.bottom), inner, title)
    lines = [*enumerate(first, box.target), *enumerate(second, middle + 1)]
    for y, told in lines:
        changed = marks.field(box.socket.key, told.of)
        canvas.put(x + 2, y, told.label, "dim")
        canvas.put(x + 2 + LABEL, y, told.value, _CHANGED if changed else told.style)
        if changed:
            canvas.put(x + 1, y, "*", _CHANGED)


def _arrows(canvas: Canvas, places: Places) -> None:
    border, box = places.widths.left + 3, places.widths.box

    def lane_at(inode: int) -> int:
        return border + 2 + 2 * places.lanes[inode]

    def style(inode: int) -> str:
        return _LANE_STYLES[places.lanes[inode]] if inode in places.lanes else ""

    for inode, one in places.boxes.items():
        y = one.target
        canvas.put(border, y, "├")
        canvas.across(border + 1, box - 2, y, style=style(inode))
        canvas.put(box - 1, y, "▶", style(inode))
        for end in places.ends[inode] if inode in places.lanes else ():
            canvas.put(border, end, "├")
            canvas.across(border + 1, lane_at(inode), end, style=style(inode))
    _verticals(canvas, places, lane_at, style)


def _verticals(
    canvas: Canvas,
    places: Places,
    lane_at: Callable[[int], int],
    style: Callable[[int], str],
) -> None:
    """Draw the lanes last: where two lines cross, the one across is broken."""
    for inode in places.lanes:
        x, ends, own = lane_at(inode), places.ends[inode], style(inode)
        canvas.down(x, places.boxes[inode].target, ends[-1], style=own)
        canvas.put(x, places.boxes[inode].target, "┬", own)
        for end in ends[:-1]:
            canvas.put(x, end, "┤", own)
        canvas.put(x, ends[-1], "┘", own)
