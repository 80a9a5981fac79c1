"""How long each process had a processor, told by the scheduler's switches. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from labctl.observe.tracefs.lines import Line
from labctl.observe.tracefs.tasks import Process, Task
from labctl.sequence.processor import Processor
from labctl.sequence.verbs import FAMILIES

_NEXT = re.compile(rb" next_pid=(\d{1,10}) next_prio=-?\d+\Z")

SWITCH = b"sched_switch"


class Working:
    """Told of all that threads do, in the order of time; adds up when they had a processor.

    A thread of which anything is heard has one, until a switch tells that another has it now.
    """

    def __init__(self) -> None:
        self._since: dict[int, int] = {}
        self._spent: dict[int, tuple[Process, Counter[str | None]]] = {}

    def heard(self, tid: int, task: Task, time: int) -> None:
        """Count what a thread had until now: to be told before it enters a call or returns."""
        since = self._since.get(tid)
        self._since[tid] = time
        if since is None:
            return
        process = task.process
        _, spent = self._spent.setdefault(id(process), (process, Counter()))
        spent[task.call.name if task.call else None] += time - since

    def left(self, tid: int, task: Task | None, time: int) -> None:
        """Count what a thread had until it lost its processor, or ended."""
        if task is not None:
            self.heard(tid, task, time)
        self._since.pop(tid, None)

    def became_a_program(self, process: Process) -> None:
        """Forget what a process had as the shell at its gate: its life begins with execve."""
        _, spent = self._spent.get(id(process), (process, Counter()))
        for name in [name for name in spent if name not in FAMILIES["exec"]]:
            del spent[name]

    def given(self, line: Line) -> int | None:
        """Note whom a switch gives the processor; return its number, None of the idle one."""
        match = _NEXT.search(line.text)
        tid = int(match[1]) if match else 0
        if tid:
            self._since[tid] = line.time
        return tid or None

    def all(self) -> Iterable[Processor]:
        """Yield what each process had, of those whose number is known."""
        for process, spent in self._spent.values():
            if process.number is not None:
                inside = {name: ns for name, ns in spent.items() if name is not None}
                yield Processor(process.host, process.number, spent[None], inside)
