"""Writes a figure as a Mermaid sequenceDiagram (mermaid.js.org/syntax/sequenceDiagram)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.timeline import Timeline
from labctl.show.figure.arranging import label_sides
from labctl.show.figure.footing import foot_lines
from labctl.show.figure.labels import arrow_label, bar_lines, host_lines, lane_name
from labctl.show.figure.layout import figure_of
from labctl.show.figure.model import Arrow, Bar, Figure, Mark, Options
from labctl.show.figure.units import plain

_MOST = 80
_SAFE = frozenset(" ,.()[]=+-*/_'→×≈…µ|!?@")
"""Signs that mean nothing to Mermaid inside a text."""

_RETURN, _CALL, _MARK, _SEND = range(4)


def draw(shown: Timeline | Figure, options: Options | None = None) -> str:
    """Return a figure as a Mermaid diagram; each `activate` in it has its `deactivate`."""
    figure = figure_of(shown, options)
    lines = [*_participants(figure), *_events(figure)]
    if not figure.lanes:
        lines.append("participant L0 as nothing")
    if figure.title:
        lines.insert(0, f"title {_text(figure.title)}")
    over = f"L0,L{len(figure.lanes) - 1}" if len(figure.lanes) > 1 else "L0"
    lines += [f"Note over {over}: {_text(line)}" for line in foot_lines(figure)]
    return "sequenceDiagram\n" + "".join(f"    {line}\n" for line in lines)


def _participants(figure: Figure) -> Iterator[str]:
    for column in figure.columns:
        names = ["<br/>".join(map(_text, host_lines(column)))]
        boxed = len(column.lanes) > 1
        if boxed:
            yield f"box transparent {_text(' '.join(host_lines(column)))}"
            names = [_text(lane_name(figure.lanes[lane]) or column.host) for lane in column.lanes]
        for lane, name in zip(column.lanes, names, strict=True):
            yield f"participant L{lane} as {name}"
        if boxed:
            yield "end"


def _events(figure: Figure) -> Iterator[str]:
    """Yield what happens in the order of rows; calls that return in a row before new ones."""
    left = label_sides(figure)
    found: list[tuple[int, int, list[str]]] = []
    for bar in figure.bars:
        found.append((bar.first, _CALL, _call(bar, left)))
        if bar.last > bar.first:
            found.append((bar.last, _RETURN, [f"deactivate L{bar.lane}"]))
    found += [(arrow.first, _SEND, [_arrow(arrow)]) for arrow in figure.arrows]
    found += [(mark.row, _MARK, [_mark(mark, left)]) for mark in figure.marks]
    for _, _, lines in sorted(found, key=lambda event: event[:2]):
        yield from lines


def _call(bar: Bar, left: tuple[bool, ...]) -> list[str]:
    words = "<br/>".join(_text(line.text) for line in bar_lines(bar, _MOST))
    note = f"Note {_side(left[bar.lane])} L{bar.lane}: {words}"
    return [note, f"activate L{bar.lane}"] if bar.last > bar.first else [note]


def _arrow(arrow: Arrow) -> str:
    sign = "-x" if arrow.lost else "->>"
    return f"L{arrow.source}{sign}L{arrow.target}: {_text(arrow_label(arrow))}"


def _mark(mark: Mark, left: tuple[bool, ...]) -> str:
    if mark.kind == "fork" and mark.target is not None:
        return f"L{mark.lane}-->>L{mark.target}: {_text(mark.text)}"
    return f"Note {_side(left[mark.lane])} L{mark.lane}: {_text(mark.text)}"


def _side(left: bool) -> str:
    return "left of" if left else "right of"


def _text(text: str) -> str:
    """Return a text in which what may mean something to Mermaid or HTML is an entity."""
    shown = plain(text) or " "
    return "".join(c if c.isalnum() or c in _SAFE else f"#{ord(c)};" for c in shown)
