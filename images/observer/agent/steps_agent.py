"""Films what the programs of one host hold, call by call; told what to do in JSON lines.

It runs in a container of its own that shares the host's network and pid namespaces. What it
steps is let go on when it ends, however it does.
"""

from __future__ import annotations

from typing import Any

import processes
import stepping
from failure import Failure
from serving import OUT, Obedient, serve
from settled import wait_until_settled
from socket_tables import SocketTables
from step_frames import FILE, Frames
from stepping import Stepper


class StepsAgent(Obedient):
    """What it does: see serving.py for how it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._gates = ""
        self._frames: Frames | None = None
        self._stepper: Stepper | None = None

    def hello(self) -> dict[str, Any]:
        """Tell that it is there."""
        return {}

    def film(self, begin: str, most: int, everything: bool) -> dict[str, Any]:
        """Make ready: at most so many frames, of what will wait at gates whose marks begin so."""
        self._gates = begin
        self._frames = Frames(OUT, stepping.look_of(SocketTables(stepped=True)), most)
        self._stepper = Stepper(self._frames, everything)
        return {}

    def gated(self, mark: str, patience: float) -> dict[str, Any]:
        """Wait for the process that stopped itself at the gate with this mark."""
        return {"pid": processes.wait_for_gate(mark, patience)}

    def step(self, pid: int) -> dict[str, Any]:
        """Step a process, unless the film is full: then it goes on as it is."""
        if self._frames is None or self._stepper is None:
            raise Failure("there is no film yet")
        if not self._frames.full:
            self._stepper.step(pid)
        return {}

    def release(self, pid: int) -> dict[str, Any]:
        """Let a process that waits at the gate go on."""
        processes.release(pid)
        return {}

    def settle(self, patience: float) -> dict[str, Any]:
        """Wait until no connection is under way and no program works, at most so long."""
        return {"settled": wait_until_settled(patience)}

    def stop(self) -> dict[str, Any]:
        """End the film; tell its file, whether it was full, and what else is to be told."""
        if self._frames is None or self._stepper is None:
            raise Failure("there is no film")
        self._stepper.stop()
        return {"file": FILE, "full": self._frames.full, "notes": self._stepper.notes}

    def leave(self) -> None:
        """Let go of everything."""
        if self._stepper is not None:
            self._stepper.stop()
        if self._gates:
            processes.end_gated(self._gates)


if __name__ == "__main__":
    stepping.prepare()
    serve(StepsAgent())
