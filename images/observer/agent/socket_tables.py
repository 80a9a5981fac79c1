"""What the processes of the host hold, and the kernel's structures behind it, at one moment."""

from __future__ import annotations

import base64
import errno
import os
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import borrowing
import descriptors
import processes
import sock_diag

_TRIES = 5
_PATIENCE, _NAP = 0.1, 0.001
_ASLEEP = "SITZX"
"""States (proc(5)) of threads that do not work, and do not wait for the kernel to let them."""

_GONE = (errno.EBADF, errno.ESRCH, errno.ENOENT)
_INODE_AT = {"tcp": 68, "udp": 68, "unix": 4}
"""Where a message has the socket's number (inet_diag_msg, unix_diag_msg)."""
_INODE = struct.Struct("=I")
_STATE_AT = {"tcp": 1, "udp": 1, "unix": 2}

_Tables = list[dict[str, Any]]
_Place = tuple[int, int, int]
"""A process, one of its descriptors, and the number of the socket that it stands for."""


class SocketTables:
    """Looks at a host again and again; remembers what need not be asked twice.

    To borrow a socket delays its close for a moment. So it is done only where the tables have
    named it twice, some milliseconds apart, from a process that sleeps, and then once in each
    state: what a program at work makes and closes is never held up.
    """

    def __init__(self) -> None:
        self._asked: dict[int, tuple[int | None, dict[str, Any]]] = {}
        self._unknown: set[int] = set()
        self.look()

    def look(self) -> dict[str, Any]:
        """Return the tables, the kernel's messages, and what borrowed sockets tell."""
        before, told, tables = _read()
        now = time.time_ns()
        known = dict(_states(told))
        held = {inode for *_, inode in _places(tables)}
        outside = self._outside(known.keys() - held - {inode for *_, inode in before} - {0})
        told_of = {0} | held | outside
        details = self._details(before & set(_places(tables)), known)
        _drop(tables, held - known.keys() - details.keys())
        return {
            "time": now,
            "processes": tables,
            "messages": {
                kind: [
                    base64.b64encode(message).decode()
                    for message in messages
                    if _inode(kind, message) in told_of
                ]
                for kind, messages in told.items()
            },
            "details": details,
        }

    def _outside(self, unknown: set[int]) -> set[int]:
        """Return which of the sockets that no table names are held from outside the host, as
        by the engine's name server: those that no table named at the look before either. The
        others came and went between two readings."""
        outside = unknown & self._unknown
        self._unknown = unknown
        return outside

    def _details(self, lasting: set[_Place], known: dict[int, int]) -> dict[int, dict[str, Any]]:
        """Ask each socket that is there for longer than a moment, unless it was in this state."""
        found: dict[int, dict[str, Any]] = {}
        asked: dict[int, tuple[int | None, dict[str, Any]]] = {}
        deadline = time.monotonic() + _PATIENCE
        for pid, descriptor, inode in sorted(lasting):
            if inode in asked:
                continue
            state = known.get(inode)
            before = self._asked.get(inode)
            if state is not None and before is not None and before[0] == state:
                asked[inode] = before
            elif details := _ask(pid, descriptor, inode, deadline):
                found[inode] = details
                if "name" not in details:
                    asked[inode] = (state, details)
        self._asked = asked
        return found | {inode: details for inode, (_, details) in asked.items()}


def _read() -> tuple[set[_Place], dict[str, list[bytes]], _Tables]:
    """Read the tables, the messages, and the tables again; return the first tables' sockets,
    and the rest.

    It is read anew while some socket is too new to be in either of the first two.
    """
    before = set(_places(descriptors.tables()))
    for _ in range(_TRIES):
        told = sock_diag.dump()
        tables = descriptors.tables()
        places = set(_places(tables))
        known = dict(_states(told))
        if all(place in before or place[2] in known for place in places):
            break
        before = places
    return before, told, tables


def _places(tables: _Tables) -> Iterator[_Place]:
    for process in tables:
        for descriptor in process["descriptors"]:
            inode = descriptors.socket_inode(descriptor["link"])
            if inode is not None:
                yield process["pid"], descriptor["fd"], inode


def _drop(tables: _Tables, gone: set[int]) -> None:
    """Remove the descriptors of sockets of which nothing is known: they have been closed."""
    for process in tables:
        process["descriptors"] = [
            one
            for one in process["descriptors"]
            if descriptors.socket_inode(one["link"]) not in gone
        ]


def _states(told: dict[str, list[bytes]]) -> Iterator[tuple[int, int]]:
    """Yield the number and the state of each socket that the kernel told of."""
    for kind, messages in told.items():
        for message in messages:
            yield _inode(kind, message), message[_STATE_AT[kind]]


def _inode(kind: str, message: bytes) -> int:
    return int(_INODE.unpack_from(message, _INODE_AT[kind])[0])


def _ask(pid: int, descriptor: int, inode: int, deadline: float) -> dict[str, Any] | None:
    """Return what a socket tells; where it is not borrowed, the name of its protocol only.

    None where the descriptor does not stand for it any more.
    """
    busy = not _falls_asleep(pid, deadline)
    if not busy:
        try:
            return borrowing.ask(pid, descriptor, inode)
        except OSError as error:
            if error.errno in _GONE:
                return None
    with suppress(OSError):
        name = os.getxattr(f"/proc/{pid}/fd/{descriptor}", "system.sockprotoname")
        return {"name": name.rstrip(b"\0").decode(errors="replace"), "busy": busy}
    return None


def _falls_asleep(pid: int, deadline: float) -> bool:
    """Whether there is a moment until the deadline at which all threads of a process sleep."""
    while not all(processes.state(pid, tid) in _ASLEEP for tid in processes.threads(pid)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_NAP)
    return True
