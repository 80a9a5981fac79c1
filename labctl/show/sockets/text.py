"""Draws a snapshot as text for a terminal."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from labctl.observe.sockets.model import Snapshot
from labctl.show.sockets import figure, unheld
from labctl.show.sockets.canvas import folded
from labctl.show.sockets.marks import Marks
from labctl.show.sockets.widths import LEAST_WIDTH

_NOTHING = "no process of host {} has a socket; --all shows them all"


def draw(snapshot: Snapshot, width: int, before: Snapshot | None = None) -> list[Text]:
    """Return the lines of a snapshot: tables and sockets, the sockets of no process, notes.

    What differs from the snapshot `before` is marked.
    """
    marks = Marks.between(before, snapshot)
    parts = [
        figure.draw(snapshot, width, marks) or [Text(_NOTHING.format(snapshot.host), "dim")],
        unheld.lines(snapshot.unheld, marks),
        [
            Text(line, "yellow")
            for note in snapshot.notes
            for line in folded(f"note: {note}", max(width, LEAST_WIDTH))
        ],
    ]
    lines: list[Text] = []
    for part in parts:
        if part and lines:
            lines.append(Text())
        lines += part
    return lines


def headline(snapshot: Snapshot) -> Text:
    """Return a line with the host and the time of a snapshot, in the local time zone."""
    seconds, rest = divmod(snapshot.time, 1_000_000_000)
    clock = f"{datetime.fromtimestamp(seconds):%H:%M:%S}.{rest // 1_000_000:03}"
    return Text(f"host {snapshot.host} at {clock}", "bold")
