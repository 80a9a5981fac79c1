"""Draws figure 6-26 of processes with characters: above the line they, below it the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from labctl.play.crossing import Crossed
from labctl.sequence.crossings import Kind
from labctl.show.figure.canvas import as_ascii
from labctl.show.figure.units import plain, shorten
from labctl.show.syscalls.words import Drawn, command, drawn, spent

COLUMN = 40
"""Characters that a process takes."""
_GAP = 2
_ASCII = str.maketrans("┌┐└┘─│═╪▼▲█▒░", "++++-|=#v^#:.")


def draw(crossed: Crossed, *, width: int, kinds: int, ascii_only: bool = False) -> str:
    """Return the picture, at most `width` characters wide and at least one process.

    Of each process at most `kinds` kinds of call are drawn.
    """
    lines = [plain(crossed.title), ""]
    at_once = max(1, (width + _GAP) // (COLUMN + _GAP))
    for host, found in groupby(crossed.processes, key=lambda one: one.host):
        columns = [drawn(one, kinds) for one in found]
        for first in range(0, len(columns), at_once):
            lines += _row(plain(host), columns[first : first + at_once])
            lines.append("")
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return in_ascii(text) if ascii_only else text


def in_ascii(text: str) -> str:
    """Return a text of as many characters on each line, all of them ASCII."""
    return "\n".join(as_ascii(line) for line in text.translate(_ASCII).split("\n"))


def _row(host: str, columns: Sequence[Drawn]) -> Iterator[str]:
    yield f"{host}: user space"
    boxes = [list(_box(one)) for one in columns]
    yield from _beside(boxes)
    shafts = [_shafts(len(one.kinds), "│") for one in columns]
    yield from _beside([[shaft] for shaft in shafts])
    line = ("═" * _GAP).join(_shafts(len(one.kinds), "╪", "═") for one in columns)
    yield f"{line}{'═' * _GAP} system calls"
    yield from _beside([list(_turns(one.kinds)) for one in columns])
    yield from _beside([list(_inside(one)) for one in columns])
    yield f"{host}: kernel"


def _beside(columns: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in range(max(map(len, columns), default=0)):
        cells = (column[row] if row < len(column) else "" for column in columns)
        yield (" " * _GAP).join(cell.ljust(COLUMN) for cell in cells)


def _box(one: Drawn) -> Iterator[str]:
    process, inner = one.process, COLUMN - 4
    yield f"┌{'─' * (COLUMN - 2)}┐"
    yield f"│ {shorten(command(process), inner).ljust(inner)} │"
    threads = "" if process.threads == 1 else f", {process.threads} threads"
    yield f"│ {f'process {process.pid}{threads}'.ljust(inner)} │"
    yield f"│ {f'outside {spent(process.outside)}'.ljust(inner)} │"
    yield f"│ {_bar(one, inner)} │"
    n = len(one.kinds)
    yield f"└{'─' * (COLUMN - 2 - n)}{'▲' * n}┘" if n else f"└{'─' * (COLUMN - 2)}┘"


def _bar(one: Drawn, length: int) -> str:
    """Return its life as a bar: outside, at work inside, waiting inside."""
    process = one.process
    whole = max(process.outside + process.inside, 1)
    outside = round(length * process.outside / whole)
    working = min(round(length * process.working / whole), length - outside)
    return "█" * outside + "▒" * working + "░" * (length - outside - working)


def _shafts(n: int, char: str, between: str = " ") -> str:
    """Return where so many calls cross: down on the left, up on the right."""
    inner = between * (COLUMN - 2 - 2 * n)
    return f"{between}{char * n}{inner}{char * n}{between}"


def _turns(kinds: Sequence[Kind]) -> Iterator[str]:
    """Yield a line for each kind, the innermost first: down, the call, and up again."""
    for place, kind in enumerate(kinds):
        outer = len(kinds) - 1 - place
        room = COLUMN - 4 - 2 * outer
        told = f"{kind.calls:,}× {spent(kind.inside)}"
        name = shorten(plain(kind.name), room - len(told) - 2)
        middle = f" {name} {told} ".center(room, "─") if room else ""
        yield f" {'│' * outer}└{middle}┘{'│' * outer} "


def _inside(one: Drawn) -> Iterator[str]:
    process = one.process
    yield f"  inside {spent(process.inside)} in {process.calls:,} calls"
    yield f"  at work {spent(process.working)}, waiting {spent(process.waiting)}"


def legend() -> str:
    """Return what the bar in a box means."""
    return "█ outside   ▒ inside, at work   ░ inside, waiting"
