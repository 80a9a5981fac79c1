"""Draws main processes and their subordinates, each with its sockets, as figure 6-29 does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from labctl.observe.sockets.model import Descriptor, KernelSocket, Snapshot, SocketAddress
from labctl.observe.sockets.tree import Branch
from labctl.show.sockets import words
from labctl.show.sockets.canvas import clean, shortened

_MOST = 12
"""How many subordinates of one process, and sockets of one, are drawn; JSON has them all."""
_NOTHING = "no process of host {} has a socket"

Names = Mapping[str, str]
"""The names of the lab's hosts, by their addresses."""


def draw(snapshot: Snapshot, branches: Sequence[Branch], names: Names, width: int) -> list[Text]:
    """Return the lines of the picture: a box for each process, an arrow for each connection."""
    if not branches:
        return [Text(_NOTHING.format(snapshot.host), "dim")]
    lines: list[Text] = []
    inner = max(_widths(snapshot, branches))
    for branch in branches:
        lines += [Text()] if lines else []
        lines += _Drawer(snapshot, names, inner).branch(branch)
    return [_cut(line, width) for line in lines]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


class _Drawer:
    """Draws the boxes of one tree, `inner` cells wide inside where it begins."""

    def __init__(self, snapshot: Snapshot, names: Names, inner: int) -> None:
        self._snapshot = snapshot
        self._names = names
        self._inner = inner

    def branch(self, branch: Branch) -> list[Text]:
        """Return the box of a process, and those of its children below it."""
        shown, hidden = branch.children[:_MOST], branch.children[_MOST:]
        lines = list(self._box(branch, has_children=bool(shown)))
        for number, child in enumerate(shown):
            last = number == len(shown) - 1 and not hidden
            below = _Drawer(self._snapshot, self._names, self._inner - 3).branch(child)
            for at, line in enumerate(below):
                lead = ("└─▶" if last else "├─▶") if at == 1 else "   " if last and at else "│  "
                lines.append(Text(f" {lead}") + line)
        if hidden:
            lines.append(Text(f" └─▶ {_rest(hidden)}", "dim"))
        return lines

    def _box(self, branch: Branch, has_children: bool) -> Iterator[Text]:
        title = shortened(_title(branch), self._inner - 2)
        style = "bold red" if branch.is_zombie else "bold"
        rule = "─" * (self._inner - cell_len(title))
        yield Text("┌ ") + Text(title, style) + Text(f" {rule}┐")
        for entry, told, arrow in self._entries(branch):
            inside = shortened(entry, self._inner)
            space = " " * (self._inner - cell_len(inside))
            yield Text(f"│ {inside}{space} │") + Text(arrow, "green") + Text(told)
        yield Text(("└┬" if has_children else "└─") + "─" * (self._inner + 1) + "┘")

    def _entries(self, branch: Branch) -> Iterator[tuple[str, str, str]]:
        if branch.is_zombie:
            yield "zombie: it has ended, its parent has not waited", "", ""
        held = list(_sockets(self._snapshot, branch))
        for entry, one in held[:_MOST]:
            yield _inside(entry, one), *self._outside(one)
        if len(held) > _MOST:
            yield f"and {words.count(len(held) - _MOST, 'socket')} more", "", ""

    def _outside(self, one: KernelSocket) -> tuple[str, str]:
        """Return who is at the other end of a socket, and the arrow to there."""
        if one.state == "LISTEN":
            return f"{one.accept_queue or 0} of {one.backlog} wait for accept", "◀── "
        if one.family == "AF_UNIX":
            held = self._snapshot.holders.get(one.peer or 0, ())
            return ", ".join(f"{fd} of process {pid}" for pid, fd in held), "◀─▶ " if held else ""
        if one.remote.port is None:
            return "", ""
        name = self._names.get(one.remote.address or "")
        return (f"{name} " if name else "") + _end(one.remote), "◀─▶ "


def _widths(snapshot: Snapshot, branches: Sequence[Branch], depth: int = 0) -> Iterator[int]:
    """Yield how wide the boxes must be inside, told for the outermost."""
    for branch in branches:
        yield cell_len(_title(branch)) + 2 + 3 * depth
        if branch.is_zombie:
            yield 48 + 3 * depth
        for entry, one in _sockets(snapshot, branch):
            yield cell_len(_inside(entry, one)) + 3 * depth
        yield from _widths(snapshot, branch.children[:_MOST], depth + 1)


def _sockets(snapshot: Snapshot, branch: Branch) -> Iterator[tuple[Descriptor, KernelSocket]]:
    for entry in branch.process.descriptors:
        if entry.kind == "socket" and entry.inode in snapshot.held:
            yield entry, snapshot.held[entry.inode]


def _title(branch: Branch) -> str:
    role = f"{branch.role}  " if branch.role else ""
    return f"{role}process {branch.process.pid}: {clean(branch.process.name)}"


def _inside(entry: Descriptor, one: KernelSocket) -> str:
    if one.family == "AF_UNIX":
        return f"{entry.fd:>2}  PF_UNIX"
    return f"{entry.fd:>2}  {one.state or one.protocol:12} {_end(one.local)}".rstrip()


def _end(one: SocketAddress) -> str:
    return f"{one.address or words.BLANK}:{words.BLANK if one.port is None else one.port}"


def _rest(branches: Sequence[Branch]) -> str:
    """Return how many processes are not drawn, and how many of them are zombies."""
    zombies = sum(branch.is_zombie for branch in branches)
    told = f", {zombies:,} of them zombies" if zombies else ""
    return f"{len(branches):,} more{told}"


def as_json(snapshot: Snapshot, branches: Sequence[Branch], names: Names) -> dict[str, Any]:
    """Return the trees as `tree --json` shows them."""
    return {
        "host": snapshot.host,
        "time": snapshot.time,
        "processes": [_as_object(snapshot, one, names) for one in branches],
        "notes": list(snapshot.notes),
    }


def _as_object(snapshot: Snapshot, branch: Branch, names: Names) -> dict[str, Any]:
    process = branch.process
    return {
        "pid": process.pid,
        "parent": process.parent,
        "role": branch.role or None,
        "name": process.name,
        "command": list(process.command),
        "state": process.state,
        "sockets": [
            {
                "fd": entry.fd,
                "key": one.key,
                "family": one.family,
                "state": one.state,
                "local": {"address": one.local.address, "port": one.local.port},
                "remote": {"address": one.remote.address, "port": one.remote.port},
                "client": names.get(one.remote.address or ""),
            }
            for entry, one in _sockets(snapshot, branch)
        ],
        "children": [_as_object(snapshot, child, names) for child in branch.children],
    }
