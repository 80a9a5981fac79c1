"""Writes a film: after each call one frame, with what the processes hold then.

One JSON object a line. A line with the number of an earlier one takes its place: a call that
is made again and again is one frame, and its line is written anew when it is over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from step_calls import MOVES
from step_tasks import Call, Task

FILE = "frames.jsonl"


@dataclass
class _Frame:
    """The last frame: `key` is what a repetition has in common with it."""

    number: int
    told: dict[str, Any]
    key: tuple[Any, ...] | None
    owed: bool = False
    """Whether it was repeated since it was written: then it is as it was before that."""


class Frames:
    """The frames so far. `look` returns what some processes hold, and their sockets.

    No more than `most` frames are written; then `full` is set.
    """

    def __init__(
        self, folder: Path, look: Callable[[Collection[int]], dict[str, Any]], most: int
    ) -> None:
        self._file = (folder / FILE).open("w")
        self._look = look
        self._most = most
        self._count = 0
        self._last: _Frame | None = None
        self._held: dict[int, dict[str, Any]] = {}
        self._with_sockets: set[int] = set()
        self._time = 0
        self.full = False

    def now(self) -> None:
        """Something has just happened: frames are of this moment, however long looking takes."""
        self._time = time.time_ns()

    def waits(self, task: Task, call: Call, pids: Collection[int]) -> None:
        """A call has not returned for a while."""
        self._add(task, "waits", _told(call, call.memory), pids)

    def returned(
        self, task: Task, call: Call, memory: dict[str, str], result: int, pids: Collection[int]
    ) -> None:
        """A call is over; `result` is -errno where it failed."""
        told = _told(call, memory) | {"result": result}
        key = _key(task, call, result)
        if key is not None and self._last is not None and self._last.key == key:
            self._repeated(self._last, told)
        else:
            self._add(task, "call", told, pids, key)

    def became(self, task: Task, call: Call, pids: Collection[int]) -> None:
        """A process has become another program: told once it has to do with sockets."""
        self._held[task.pid] = self._line(
            task, "exec", _told(call, call.memory) | {"result": 0}, pids
        )
        if task.pid in self._with_sockets:
            self._release(task.pid)

    def ended(self, task: Task, status: int, pids: Collection[int]) -> None:
        """A process has ended (wait(2)); nothing is told of one that never had a socket."""
        self._held.pop(task.pid, None)
        if task.pid in self._with_sockets:
            self._with_sockets.discard(task.pid)
            self._add(task, "ended", {"status": status}, pids)

    def may_repeat(self, task: Task) -> bool:
        """Whether the call that a thread begins may be the last frame's once more."""
        last, call = self._last, task.call
        if last is None or last.key is None or call is None:
            return False
        return last.key[:-1] == (task.tid, call.name, call.args[0], call.socket)

    def settle(self, pids: Collection[int]) -> None:
        """See to it that the last frame is as its last repetition has left it."""
        if self._last is not None and self._last.owed:
            self._last.owed = False
            self._last.told.update(self._look(pids), time=self._last.told["time"])
            self._write(self._last.told)

    def close(self, pids: Collection[int]) -> None:
        """Write what is left to be written."""
        self.settle(pids)
        self._file.close()

    def _repeated(self, frame: _Frame, told: dict[str, Any]) -> None:
        frame.owed = True
        frame.told["times"] += 1
        frame.told["moved"] += max(told["result"], 0)
        frame.told.update(told, time=self._time)

    def _add(
        self,
        task: Task,
        event: str,
        told: dict[str, Any],
        pids: Collection[int],
        key: tuple[Any, ...] | None = None,
    ) -> None:
        self.settle(pids)
        line = self._line(task, event, told, pids)
        self._release(task.pid)
        self._append(line, key)

    def _release(self, pid: int) -> None:
        held = self._held.pop(pid, None)
        if held is not None:
            self._append(held, None)

    def _line(
        self, task: Task, event: str, told: dict[str, Any], pids: Collection[int]
    ) -> dict[str, Any]:
        looked = self._look(pids)
        for process in looked["processes"]:
            if any(one["link"].startswith("socket:") for one in process["descriptors"]):
                self._with_sockets.add(process["pid"])
        moved = max(told.get("result", 0), 0)
        what = {"event": event, "pid": task.pid, "tid": task.tid, "times": 1, "moved": moved}
        return {**what, **looked, **told, "time": self._time}

    def _append(self, line: dict[str, Any], key: tuple[Any, ...] | None) -> None:
        if self._count >= self._most:
            self.full = True
            return
        self._last = _Frame(self._count, {"frame": self._count, **line}, key)
        self._count += 1
        self._write(self._last.told)

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _told(call: Call, memory: dict[str, str]) -> dict[str, Any]:
    return {"call": call.name, "args": call.args, "memory": memory, "on": call.socket}


def _key(task: Task, call: Call, result: int) -> tuple[Any, ...] | None:
    """Return what repetitions have in common; None of a call that is always told on its own.

    What moves data is repeated where it moves some again; any call where it fails as before.
    """
    if result >= 0 and call.name not in MOVES:
        return None
    outcome = min(result, 1)
    return task.tid, call.name, call.args[0], call.socket, outcome
