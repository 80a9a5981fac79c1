"""Holds the end of the host up for a moment, so that nothing seen before it is lost.

When the first process of a pid namespace ends, the kernel kills all others in it, and so this
agent and what it has started (pid_namespaces(7)). That process is seized: it stops when it is
about to end (ptrace(2), PTRACE_O_TRACEEXIT), and goes on when all is written. Nothing else of it
is traced, so it costs nothing before that.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import processes

FIRST = 1
_INITS = {"docker-init", "tini", "catatonit", "dumb-init", "init"}
"""Programs that only wait for the others: not what anybody wants traced themselves."""

_CONT, _GETEVENTMSG, _SEIZE, _LISTEN = 7, 0x4201, 0x4206, 0x4208
_O_TRACEEXIT = 0x40
_EVENT_EXIT, _EVENT_STOP = 6, 128
_WALL = 0x40000000
_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def is_init() -> bool:
    """Tell whether the host's first process is an init, with the programs as its children."""
    return Path((processes.command_line(FIRST) or [""])[0]).name in _INITS


class Hold:
    """Calls `at_end` with the first process's wait status when it is about to end.

    `refusal` says why it will not, where so: the first process is a program of its own, which is
    left to strace, or the kernel does not permit it.
    """

    def __init__(self, at_end: Callable[[int], None]) -> None:
        self.refusal: str | None = None
        self._at_end = at_end
        self._seized = threading.Event()
        if not is_init():
            self.refusal = "the host has no init"
            return
        # ptrace(2) obeys only the thread that has seized, so all is done in one.
        threading.Thread(target=self._run, name="hold", daemon=True).start()
        self._seized.wait()

    def _run(self) -> None:
        try:
            _ptrace(_SEIZE, data=_O_TRACEEXIT)
        except OSError as error:
            self.refusal = f"its init may not be seized: {error.strerror}"
            return
        finally:
            self._seized.set()
        while True:
            _, status = os.waitpid(FIRST, _WALL)
            if not os.WIFSTOPPED(status):
                return
            try:
                self._stopped(status >> 16, os.WSTOPSIG(status))
            except ProcessLookupError:  # killed while it was stopped
                continue

    def _stopped(self, event: int, number: int) -> None:
        if event == _EVENT_EXIT:
            try:
                self._at_end(_message())
            finally:
                _ptrace(_CONT)
        elif event == _EVENT_STOP and number in _STOPS:
            _ptrace(_LISTEN)
        elif event or number == signal.SIGSTOP:  # the kernel lets nobody stop an init
            _ptrace(_CONT)
        else:
            _ptrace(_CONT, data=number)


def _ptrace(request: int, data: int | None = None) -> None:
    if _libc.ptrace(request, FIRST, None, data) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _message() -> int:
    """Return the status with which the process ends, as wait(2) would tell it."""
    told = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, data=ctypes.addressof(told))
    return told.value
