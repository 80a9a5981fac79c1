"""What the processes of the host hold, and the kernel's structures behind it, at one moment."""

from __future__ import annotations

import errno
import time
from typing import Any

import borrowing
import processes
import socket_reading
from socket_reading import Place

_PATIENCE, _NAP = 0.1, 0.001
_ASLEEP = "SITZX"
"""States (proc(5)) of threads that do not work, and do not wait for the kernel to let them."""
_TRACED = "t"
"""The state of a thread that a tracer has stopped: for how long, only the tracer knows."""

_GONE = (errno.EBADF, errno.ESRCH, errno.ENOENT)


class SocketTables:
    """Looks at a host again and again; remembers what need not be asked twice.

    To borrow a socket delays its close for a moment. So it is done only where the tables have
    named it twice, some milliseconds apart, from a process that sleeps, and then once in each
    state: what a program at work makes and closes is never held up.

    Where programs are `stepped` they stand still while they are looked at: a socket is asked
    each time, as its options may be others in the same state.
    """

    def __init__(self, stepped: bool = False) -> None:
        self._stepped = stepped
        self._asleep = _ASLEEP + _TRACED if stepped else _ASLEEP
        self._asked: dict[int, tuple[int | None, dict[str, Any]]] = {}
        self._unknown: set[int] = set()
        self.look()

    def look(self) -> dict[str, Any]:
        """Return the tables, the kernel's messages, and what borrowed sockets tell."""
        before, told, tables = socket_reading.read()
        now = time.time_ns()
        known = dict(socket_reading.states(told))
        held = {inode for *_, inode in socket_reading.places(tables)}
        outside = self._outside(known.keys() - held - {inode for *_, inode in before} - {0})
        told_of = {0} | held | outside
        details = self._details(before & set(socket_reading.places(tables)), known)
        socket_reading.drop(tables, held - known.keys() - details.keys())
        return {
            "time": now,
            "processes": tables,
            "messages": socket_reading.encoded(told, told_of),
            "details": details,
        }

    def _outside(self, unknown: set[int]) -> set[int]:
        """Return which of the sockets that no table names are held from outside the host, as
        by the engine's name server: those that no table named at the look before either. The
        others came and went between two readings."""
        outside = unknown & self._unknown
        self._unknown = unknown
        return outside

    def _details(self, lasting: set[Place], known: dict[int, int]) -> dict[int, dict[str, Any]]:
        """Ask each socket that is there for longer than a moment, unless it was in this state."""
        found: dict[int, dict[str, Any]] = {}
        asked: dict[int, tuple[int | None, dict[str, Any]]] = {}
        deadline = time.monotonic() + _PATIENCE
        for pid, descriptor, inode in sorted(lasting):
            if inode in asked:
                continue
            state = known.get(inode)
            before = self._asked.get(inode)
            same = state is not None and before is not None and before[0] == state
            if same and before is not None and not self._stepped:
                asked[inode] = before
            elif details := _ask(pid, descriptor, inode, deadline, self._asleep):
                found[inode] = details
                if "name" not in details:
                    asked[inode] = (state, details)
        self._asked = asked
        return found | {inode: details for inode, (_, details) in asked.items()}


def _ask(
    pid: int, descriptor: int, inode: int, deadline: float, asleep: str = _ASLEEP
) -> dict[str, Any] | None:
    """Return what a socket tells; where it is not borrowed, the name of its protocol only.

    None where the descriptor does not stand for it any more.
    """
    busy = not _falls_asleep(pid, deadline, asleep)
    if not busy:
        try:
            return borrowing.ask(pid, descriptor, inode)
        except OSError as error:
            if error.errno in _GONE:
                return None
    name = socket_reading.protocol(pid, descriptor)
    return None if name is None else {"name": name, "busy": busy}


def _falls_asleep(pid: int, deadline: float, asleep: str) -> bool:
    """Whether there is a moment until the deadline at which all threads of a process sleep."""
    while not all(processes.state(pid, tid) in asleep for tid in processes.threads(pid)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_NAP)
    return True
