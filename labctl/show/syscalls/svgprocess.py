"""Draws one process: its box above the line, and its calls, which go down and come up again."""

from __future__ import annotations

from math import log10
from xml.etree.ElementTree import Element

from labctl.sequence.crossings import Kind
from labctl.show.figure.markup import add, number
from labctl.show.figure.metrics import fit
from labctl.show.figure.units import plain
from labctl.show.syscalls.words import Drawn, command, spent

COLUMN = 312.0
HEAD = 118.0
"""From the top of a box to the line."""
TURN = 34.0
"""From one kind of call to the next, deeper one."""
_BOX = 84.0
_APART = 10.0
_EDGE = 14.0
_TIP = 5.0


def draw_process(svg: Element, one: Drawn, x: float, top: float, line: float) -> None:
    """Draw it at `x`, its box from `top`, the line between it and the kernel at `line`."""
    group = add(svg, "g", class_="process")
    _draw_box(group, one, x, top)
    for place, kind in enumerate(one.kinds):
        outer = len(one.kinds) - 1 - place
        left = x + _EDGE + outer * _APART
        right = x + COLUMN - _EDGE - outer * _APART
        _draw_turn(group, kind, (left, right), top + _BOX, line + (place + 1) * TURN)
    process = one.process
    told = f"inside {spent(process.inside)}: at work {spent(process.working)}, "
    told = f"{told}waiting {spent(process.waiting)}"
    below = line + len(one.kinds) * TURN + 26
    add(group, "text", fit(told, COLUMN, 11), class_="small", x=x, y=below)


def _draw_box(group: Element, one: Drawn, x: float, top: float) -> None:
    process, room = one.process, COLUMN - 20
    add(group, "title", f"{plain(process.program)}, process {process.pid}")
    add(group, "rect", class_="box", x=x, y=top, width=COLUMN, height=_BOX, rx=5.0)
    name = fit(command(process), room, 12, mono=True, bold=True)
    add(group, "text", name, class_="program", x=x + 10, y=top + 19)
    threads = "" if process.threads == 1 else f", {process.threads} threads"
    told = f"process {process.pid}{threads}: {process.calls:,} calls, {process.per_second:,.0f}/s"
    add(group, "text", fit(told, room, 11), class_="small", x=x + 10, y=top + 36)
    told = f"outside {spent(process.outside)}"
    if process.user is not None:
        told += f", with a processor {spent(process.user)}"
    add(group, "text", fit(told, room, 11), class_="small", x=x + 10, y=top + 52)
    whole = max(process.outside + process.inside, 1)
    at = x + 10
    for part, ns in (
        ("outside", process.outside),
        ("working", process.working),
        ("waiting", process.waiting),
    ):
        wide = room * ns / whole
        add(group, "rect", class_=part, x=at, y=top + 62, width=wide, height=10.0)
        at += wide


def _draw_turn(
    group: Element, kind: Kind, sides: tuple[float, float], top: float, bottom: float
) -> None:
    """Draw a kind of call: from the process down into the kernel, and up to it again."""
    left, right = sides
    turn = add(group, "g", class_="turn")
    errors = "".join(f", {count:,} {errno}" for errno, count in sorted(kind.errors.items()))
    add(turn, "title", f"{plain(kind.name)}: {kind.calls:,} calls, {spent(kind.inside)}{errors}")
    thick = number(1 + 0.7 * log10(max(kind.calls, 1)))
    way = f"M{number(left)} {number(top)}V{number(bottom)}H{number(right)}V{number(top + _TIP)}"
    add(turn, "path", class_="way", d=way, stroke_width=thick)
    tip = f"M{number(right)} {number(top)}l-4 {number(_TIP + 3)}h8Z"
    add(turn, "path", class_="tip", d=tip)
    room = right - left - 12
    told = f"{kind.calls:,}× {spent(kind.inside)}"
    name = fit(plain(kind.name), room - len(told) * 7.2, 12, mono=True)
    add(turn, "text", name, class_="call", x=left + 8, y=bottom - 8)
    add(turn, "text", told, class_="count", x=right - 8, y=bottom - 8, text_anchor="end")
