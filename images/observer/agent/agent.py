"""Watches one host from beside it; told what to do in JSON lines on standard input.

It runs in a container of its own that shares the host's network and pid namespaces. When
standard input ends, what it watches is let go, and it ends. Nothing is left behind then, nor
when it is killed: a tracer's or a capture's end sets free what it held.
"""

from __future__ import annotations

from typing import Any

import processes
from capture import Capture
from serving import OUT, Obedient, serve
from settled import wait_until_settled
from strace import Straces


class Agent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._straces = Straces(OUT)
        self._capture: Capture | None = None
        self._gates = ""

    def hello(self) -> dict[str, Any]:
        """Tell what runs on the host, and why strace would not work, if so."""
        return {"processes": processes.snapshot(), "strace": Straces.refusal()}

    def capture(self, snaplen: int, max_bytes: int) -> dict[str, Any]:
        """Capture every packet of the host from now on."""
        self._capture = Capture(OUT, snaplen, max_bytes)
        return {}

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
        """Wait for the process that stopped itself at the gate with this mark."""
        return {"pid": processes.wait_for_gate(mark, patience)}

    def attach(self, pids: list[int] | None, options: list[str], max_bytes: int) -> dict[str, Any]:
        """Trace these processes with strace(1), or all that run; tell their threads."""
        wanted = processes.running() if pids is None else pids
        threads = {tid: pid for pid in wanted for tid in processes.threads(pid)}
        if not wanted:
            return {"file": None}
        file = self._straces.attach(wanted, options, max_bytes)
        return {"file": file, "threads": threads}

    def release(self, pid: int) -> dict[str, Any]:
        """Let a process that waits at the gate go on."""
        processes.release(pid)
        return {}

    def settle(self, patience: float) -> dict[str, Any]:
        """Wait until no connection is under way and no program works, at most so long."""
        return {"settled": wait_until_settled(patience)}

    def stop(self) -> dict[str, Any]:
        """End what watches, when it has written all that happened before; tell the files."""
        notes = self._straces.stop()
        if self._capture is not None:
            notes += self._capture.stop()
        files = {path.name: path.stat().st_size for path in sorted(OUT.iterdir())}
        return {"files": files, "notes": notes, "interfaces": processes.interfaces()}

    def leave(self) -> None:
        """Let go of everything."""
        self._straces.stop()
        if self._gates:
            processes.end_gated(self._gates)
        if self._capture is not None:
            self._capture.stop()


def main() -> None:
    """Obey until standard input ends."""
    serve(Agent())


if __name__ == "__main__":
    main()
