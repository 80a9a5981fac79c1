"""Ends what was started on the host to be watched, should whoever started it be gone.

A process is such a command's if it carries the command's mark in its environment, which children
inherit, or is in its session (setsid(2)). What makes processes faster than they are found is
stopped first: a stopped process makes none, and where one has a signal waiting the kernel lets its
fork(2) wait too.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import processes

MARK = b"LABCTL_STEP="
_PROC = Path("/proc")


class Started:
    """The commands that are to end with us."""

    def __init__(self) -> None:
        self._sessions: set[int] = set()
        self._marks: set[bytes] = set()

    def add(self, pid: int) -> None:
        """Remember a command by its process, which has not begun to work yet."""
        self._sessions.add(pid)
        self._marks |= {word for word in _environment(pid) if word.startswith(MARK)}

    def end(self, patience: float) -> list[int]:
        """Kill all their processes; return those that are left after `patience` seconds."""
        before: set[int] = set()
        for _ in processes.naps(patience if self._sessions else 0):
            now = self._found()
            if not now:
                return []
            # The whole group at once, so that a process that hands over to its child is caught.
            groups = {-group for group in map(_group, now) if group > 1}
            _signal(now | groups, signal.SIGKILL if now == before else signal.SIGSTOP)
            before = now
        return sorted(self._found()) if self._sessions else []

    def _found(self) -> set[int]:
        return {
            pid
            for pid in processes.running()
            if processes.state(pid) not in "ZX"
            and (_session(pid) in self._sessions or self._marks & set(_environment(pid)))
        }


def _signal(targets: set[int], number: signal.Signals) -> None:
    for target in targets:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(target, number)


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return []


def _group(pid: int) -> int:
    with suppress(OSError):
        return os.getpgid(pid)
    return 0


def _session(pid: int) -> int:
    with suppress(OSError):
        return os.getsid(pid)
    return 0
