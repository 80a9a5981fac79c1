"""What the signs of a figure in characters mean: of those that are in it."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.show.figure.model import Figure

ESTIMATE = "segments counted from the MSS"
_BETWEEN = "   "


def legend(figure: Figure, width: int) -> Iterator[str]:
    """Yield the legend in lines of at most `width` characters, signs and their meaning unbroken."""
    line = ""
    for told in _signs(figure):
        if line and len(line) + len(_BETWEEN) + len(told) > width:
            yield line
            line = ""
        line = _BETWEEN.join(filter(None, (line, told)))
    if line:
        yield line


def about_many(figure: Figure) -> bool:
    """Return whether a number of segments in a figure is an estimate."""
    return any(
        len(arrow.segments) > 1 and segment.joined > 1
        for arrow in figure.arrows
        for segment in arrow.segments
    )


def _signs(figure: Figure) -> Iterator[str]:
    if any(arrow.via for arrow in figure.arrows):
        yield "○ router"
    if any(bar.blocked and bar.last > bar.first for bar in figure.bars):
        yield "┇ waits"
    if about_many(figure):
        yield f"≈ {ESTIMATE}"
    if any(arrow.lost for arrow in figure.arrows):
        yield "✕ lost"
    if any(mark.kind == "state" for mark in figure.marks):
        yield "● new state of the connection"
    names = [lane.name for lane in figure.lanes]
    for kind, meaning in (("M", "main process"), ("S", "subordinate"), ("T", "thread")):
        # The first one stands for all: M or M1, S1, T1.
        if name := next((name for name in names if name[:1] == kind), ""):
            yield f"{name} {meaning}"
