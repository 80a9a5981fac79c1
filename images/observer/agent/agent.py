"""Watches one host from beside it; told what to do in JSON lines on standard input.

It runs in a container of its own that shares the host's network and pid namespaces. When
standard input ends, what it watches is let go, and it ends. Nothing is left behind then, nor
when it is killed: a tracer's or a capture's end sets free what it held. It is killed when the
host ends; what it has written by then is on a volume (written.py).
"""

from __future__ import annotations

import threading
import time
from typing import Any

import processes
import written
from capture import Capture
from ending import Started
from holding import FIRST, Hold, is_init
from open_sockets import open_sockets
from serving import OUT, Obedient, serve
from settled import wait_until_settled
from strace import Straces

_END_PATIENCE = 10.0
"""Seconds in which what was started for the trace is ended."""
_LAST_PATIENCE = 2.0
"""Seconds for which the end of a host may be held up by each of what writes."""


class Agent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._straces = Straces(OUT)
        self._capture: Capture | None = None
        self._gates = ""
        self._hold: Hold | None = None
        self._started = Started()
        self._lock = threading.Lock()
        self._notes: list[tuple[str, str]] | None = None
        """What is to be told once nothing watches any more, and of what something is missing."""

    def hello(self) -> dict[str, Any]:
        """Tell what runs on the host, and why strace would not work, if so."""
        return {
            "processes": processes.snapshot(),
            "looks": processes.may_look(),
            "strace": Straces.refusal(),
        }

    def capture(self, snaplen: int, max_bytes: int) -> dict[str, Any]:
        """Capture every packet of the host from now on."""
        self._capture = Capture(OUT, snaplen, max_bytes)
        self._write()
        self._hold = Hold(self._end)
        return {"hold": self._hold.refusal}

    def captured(self) -> dict[str, Any]:
        """Tell how many packets were captured so far, and whether it goes on."""
        if self._capture is None:
            return {"packets": {}, "interfaces": {}, "running": False}
        counted = self._capture.counted()
        there = processes.interfaces()
        return {"packets": counted, "interfaces": there, "running": self._capture.running}

    def gates(self, begin: str) -> dict[str, Any]:
        """Take the gates over whose marks begin so: whoever waits there at the end is ended."""
        self._gates = begin
        return {}

    def gated(self, mark: str, patience: float) -> dict[str, Any]:
        """Wait for the process that stopped itself at the gate with this mark.

        Tell its number, and the command that it will execute.
        """
        pid = processes.wait_for_gate(mark, patience)
        words = processes.command_line(pid)
        return {"pid": pid, "command": words[words.index(mark) + 1 :] if mark in words else []}

    def attach(self, pids: list[int] | None, options: list[str], max_bytes: int) -> dict[str, Any]:
        """Trace these processes with strace(1), or all that run; tell their threads."""
        wanted = _programs() if pids is None else pids
        threads = {tid: pid for pid in wanted for tid in processes.threads(pid)}
        if not wanted:
            return {"file": None}
        file = self._straces.attach(wanted, options, max_bytes)
        self._write()
        return {"file": file, "threads": threads}

    def open_sockets(self) -> dict[str, Any]:
        """Tell the sockets that the host's processes have now; to be asked once all are traced."""
        return open_sockets()

    def release(self, pid: int, ends_with_us: bool = False) -> dict[str, Any]:
        """Let a process that waits at the gate go on; one of the host's own outlasts us."""
        if ends_with_us:
            self._started.add(pid)
        processes.release(pid)
        return {}

    def settle(self, patience: float) -> dict[str, Any]:
        """Wait until no connection is under way and no program works, at most so long."""
        self._write()
        return {"settled": wait_until_settled(patience)}

    def stop(self) -> dict[str, Any]:
        """End what watches, when it has written all that happened before `time`; tell the files."""
        at = time.time_ns()
        with self._lock:
            notes = self._finish(None)
        sizes = {path.name: path.stat().st_size for path in sorted(OUT.iterdir())}
        files = {name: size for name, size in sizes.items() if not name.endswith(written.NAME)}
        there = processes.interfaces()
        return {"files": files, "notes": notes, "interfaces": there, "time": at}

    def _finish(self, patience: float | None) -> list[tuple[str, str]]:
        if self._notes is None:
            self._notes = [("calls", text) for text in self._straces.stop()]
            if self._capture is not None:
                self._notes += [("packets", text) for text in self._capture.stop(patience)]
        return self._notes

    def _write(self) -> None:
        with self._lock:
            written.write(OUT, self._notes)

    def _end(self, status: int) -> None:
        """Write all that there is, as the host ends and we with it."""
        with self._lock:
            self._straces.rest(_LAST_PATIENCE)
            written.write(OUT, self._finish(_LAST_PATIENCE), status)

    def leave(self) -> None:
        """Let go of everything."""
        with self._lock:
            if self._gates:
                processes.end_gated(self._gates)
            self._started.end(_END_PATIENCE)
            self._straces.stop()
            self._finish(None)


def _programs() -> list[int]:
    """Return the host's processes, without an init: that one is no program of anybody's."""
    return [pid for pid in processes.running() if pid != FIRST or not is_init()]


def main() -> None:
    """Obey until standard input ends."""
    serve(Agent())


if __name__ == "__main__":
    main()
