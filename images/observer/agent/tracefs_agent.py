"""Traces the hosts of a lab in the kernel; told what to do in JSON lines on standard input.

It runs in a container of its own that sees all processes of the engine's machine. When
standard input ends, tracing ends, and nothing of it stays in the kernel. Where it is killed,
what it made there stays until the next one starts, or `labctl clean` does.
"""

from __future__ import annotations

import time
from typing import Any

from failure import Failure
from serving import OUT, Obedient, serve
from tracefs import Tracefs, remove_idle

FILE = "kernel.trace"


class TracefsAgent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._tracefs: Tracefs | None = None

    def hello(self) -> dict[str, Any]:
        """Remove what killed tracers have left behind; tell what that was."""
        return {"removed": remove_idle()}

    def start(
        self, name: str, calls: list[str], max_bytes: int, every_call: bool = False
    ) -> dict[str, Any]:
        """Begin to trace these calls, so far of nobody; tell which this kernel does not know."""
        self._tracefs = Tracefs(name)
        self._tracefs.start(calls, OUT / FILE, max_bytes=max_bytes, every_call=every_call)
        return {"skipped": self._tracefs.skipped}

    def follow(self, main_pid: int, pids: list[int] | None) -> dict[str, Any]:
        """Trace processes of a host, and all that they make, from now on; tell their threads."""
        try:
            tasks = self._tracing.follow(main_pid, pids)
        except ProcessLookupError as error:
            raise Failure(f"the host has ended: {error}") from None
        return {"tasks": tasks}

    def stop(self) -> dict[str, Any]:
        """End tracing, when all that happened before is written; tell the file, and its cut."""
        at = time.time_ns()
        stopped = self._tracing.stop()
        return {"file": FILE, "cut": stopped.cut, "time": at}

    @property
    def _tracing(self) -> Tracefs:
        if self._tracefs is None:
            raise Failure("tracing has not started")
        return self._tracefs

    def leave(self) -> None:
        """Let go of everything."""
        if self._tracefs is not None:
            self._tracefs.stop()


if __name__ == "__main__":
    serve(TracefsAgent())
