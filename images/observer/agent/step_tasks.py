"""The threads that are stepped, and whether a call of one is to be told of."""

from __future__ import annotations

import base64
import os
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import descriptors
import ptrace
import step_calls
from step_calls import CLONE_THREAD, EXECS, FORKS, MAKES, PARTS, SECOND, TELLING, Part

_U32, _U64 = struct.Struct("=I"), struct.Struct("=Q")
_AF_UNIX, _AF_NETLINK = 1, 16


@dataclass
class Call:
    """A call that a thread is in; `memory` is what it points at (base64), `socket` the number
    of the socket that it names first."""

    name: str
    args: tuple[int, ...]
    memory: dict[str, str]
    socket: int | None
    began: float = field(default_factory=time.monotonic)
    waits: bool = False
    """Whether it was told that it waits."""


@dataclass
class Task:
    """A thread that is traced, and its process."""

    tid: int
    pid: int
    call: Call | None = None


class Chooser:
    """Chooses the calls to be told of; remembers the sockets that are nobody's concern.

    Those are AF_UNIX and AF_NETLINK sockets made by socket(2): a C library asks the system's
    services through them, whenever it looks up a name. With `everything` there are none.
    """

    def __init__(self, everything: bool) -> None:
        self._everything = everything
        self._quiet: set[int] = set()

    def chosen(self, tid: int, told: ptrace.Entered) -> Call | None:
        """Return the call that a thread is about to make, None where it does not matter."""
        name = step_calls.NAMES.get(told.arch, {}).get(told.number)
        if name is None:
            return None
        inode = None if name in MAKES | FORKS | EXECS else _socket(tid, told.args[0])
        if not self._matters(tid, name, told.args, inode):
            return None
        return Call(name, told.args, _memory(tid, name, told.args, None), inode)

    def _matters(self, tid: int, name: str, args: tuple[int, ...], inode: int | None) -> bool:
        if name in FORKS:
            return not _is_thread(tid, name, args) and bool(sockets(tid))
        if name == "close_range":
            return any(args[0] <= fd <= args[1] & 0xFFFFFFFF for fd in sockets(tid))
        if name in TELLING and args[1] & 0xFFFFFFFF not in TELLING[name]:
            return False
        return name in MAKES | EXECS or self._names_one(tid, name, args, inode)

    def _names_one(self, tid: int, name: str, args: tuple[int, ...], inode: int | None) -> bool:
        """Whether a call names a socket that matters, or should name one."""
        inodes = {inode}
        if name in SECOND:
            inodes.add(_socket(tid, args[SECOND[name]]))
        inodes -= {None}
        if not inodes:
            return name in step_calls.ALWAYS
        return not inodes <= self._quiet

    def made(self, tid: int, call: Call, result: int) -> bool:
        """Take note of a socket that was made; return whether it matters."""
        if call.name != "socket" or result < 0:
            return True
        call.socket = _socket(tid, result)
        if self._everything or call.args[0] & 0xFFFFFFFF not in (_AF_UNIX, _AF_NETLINK):
            return True
        if call.socket is not None:
            self._quiet.add(call.socket)
        return False


def sockets(tid: int) -> dict[int, int]:
    """Return the sockets in a thread's table: their numbers, by descriptor."""
    found = {}
    with suppress(OSError):
        for entry in Path(f"/proc/{tid}/fd").iterdir():
            inode = _socket(tid, int(entry.name))
            if inode is not None:
                found[int(entry.name)] = inode
    return found


def process_of(tid: int) -> int:
    """Return the process that a thread belongs to. Raises OSError of one that has ended."""
    for line in Path(f"/proc/{tid}/status").read_text(errors="replace").splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1])
    raise ProcessLookupError(f"no process has thread {tid}")


def filled(tid: int, call: Call, result: int) -> dict[str, str]:
    """Return the memory that a call points at, with what the kernel has written there."""
    return call.memory | _memory(tid, call.name, call.args, result)


def _socket(tid: int, descriptor: int) -> int | None:
    with suppress(OSError):
        path = f"/proc/{tid}/fd/{descriptor & 0xFFFFFFFF}"
        return descriptors.socket_inode(os.readlink(path))  # noqa: PTH115  a Path drops slashes
    return None


def _is_thread(tid: int, name: str, args: tuple[int, ...]) -> bool:
    """Whether a fork makes a thread, which shares the table."""
    flags = args[0] if name == "clone" else 0
    if name == "clone3":
        told = ptrace.peek(tid, args[0], _U64.size)
        flags = _U64.unpack(told)[0] if len(told) == _U64.size else 0
    return bool(flags & CLONE_THREAD)


def _memory(tid: int, name: str, args: tuple[int, ...], result: int | None) -> dict[str, str]:
    """Return the parts of a call's memory that are there before it, or after it."""
    found = {}
    for part in PARTS.get(name, ()):
        if part.filled == (result is not None):
            told = ptrace.peek(tid, args[part.at], _length(tid, part, args, result or 0))
            if told:
                found[part.name] = base64.b64encode(told).decode()
    return found


def _length(tid: int, part: Part, args: tuple[int, ...], result: int) -> int:
    if part.length == -1:
        return part.most
    length = result if part.length is None else args[part.length] & 0xFFFFFFFF
    if part.points:
        assert part.length is not None
        told = ptrace.peek(tid, args[part.length], _U32.size)
        length = _U32.unpack(told)[0] if len(told) == _U32.size else 0
    return min(length, part.most)
