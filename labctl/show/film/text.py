"""Draws a film as text: of each frame the call, what it changed, and the figure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from labctl.observe.steps.model import Film, Frame
from labctl.show.film import captions
from labctl.show.sockets import text
from labctl.show.sockets.canvas import folded


def draw(film: Film, width: int) -> Iterator[Text]:
    """Yield the lines of a film, at most `width` cells each; what changed has a `*` before it."""
    yield Text(film.title, "bold")
    start = film.frames[0].time if film.frames else 0
    for number, frame in enumerate(film.frames, 1):
        yield Text()
        yield from _frame(frame, f"{number}/{len(film.frames)}", start, width)
    if not film.frames:
        yield Text("no program has made a call on a socket", "dim")
    for note in film.notes:
        yield from (Text(line, "yellow") for line in folded(f"note: {note}", width))


def _frame(frame: Frame, number: str, start: int, width: int) -> Iterator[Text]:
    at = f"{(frame.time - start) / 1e9:.3f} s"
    head = f"━━ {number}  {frame.host}  {captions.who(frame)}  {at} "
    yield Text(head.ljust(width, "━")[: max(width, len(head))], "bold cyan")
    yield from (Text(line, "bold") for line in folded(captions.heading(frame), width))
    said = captions.changed(frame)
    for line in folded("; ".join(said), width) if said else ():
        yield Text(line, "yellow")
    if frame.snapshot.processes or frame.snapshot.sockets:
        yield Text()
        yield from text.draw(frame.snapshot, width, frame.before)
