"""Threads and processes while the trace is read, by the kernel's own numbers of them. Pure.

The trace has only those numbers. What a thread's number is in its host's pid namespace is told
when it is followed, and when the call that made it returns in its parent: for fork(2) after the
child's first calls, for vfork(2) even after its exec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from labctl.observe.tracefs.files import Files, RawSocket
from labctl.sequence.events import Value

Numbers = Mapping[int, tuple[int, int]]
"""By the kernel's number of a thread: its process and itself in its host's pid namespace."""


class Follow(NamedTuple):
    """What the observer followed on a host, and what it found: see `Tracefs.follow`."""

    host: str
    main_pid: int
    """The kernel's number of the host's main process."""
    tasks: Numbers
    running: bool = False
    """Whether they were at work already; others wait at a gate to become a program."""


@dataclass(eq=False, slots=True)
class Process:
    """`number` is in the pid namespace of its host, None while it is not known."""

    host: str
    number: int | None = None
    files: Files = field(default_factory=Files)
    threads: int = 1
    code: int | None = None
    signal: str | None = None
    at_gate: bool = False
    """Whether it is still the shell that waits at a gate, until it executes a program."""
    sent: str | None = None
    """The last signal that was sent to it, and was not ignored or handled."""
    told_parent: bool = False
    """Whether SIGCHLD told its parent of its end."""


@dataclass(eq=False, slots=True)
class Task:
    """A thread. `number` is in the pid namespace of its host, None while it is not known."""

    process: Process
    number: int | None = None
    call: RawCall | None = None
    """The call that it is in."""
    last: RawCall | None = None
    """The last call that returned."""
    interrupted: RawCall | None = None
    """The last call in which it was interrupted, and that it may go on in."""
    child: Task | None = None
    """Whom the call that it is in has made."""
    code: int | None = None
    signal: str | None = None


@dataclass(eq=False, slots=True)
class RawCall:
    """A call while it is not yet over, or not yet known whose it is."""

    task: Task
    name: str
    start: int
    values: Sequence[int]
    socket: RawSocket | None
    """Of those that were seen to be made, the one that its first argument stood for."""
    end: int | None = None
    result: int = 0
    guessed: bool = False
    """Whether only /proc told that the thread was in it."""
    more: dict[str, Value] = field(default_factory=dict)
    """Arguments that other events have told."""


class Tasks:
    """The threads that are there at the moment that is being read."""

    def __init__(self, follows: Iterable[Follow], marks: Iterable[Mapping[str, Any]]) -> None:
        self.alive: dict[int, Task] = {}
        self._dead: dict[int, tuple[Task, int]] = {}
        self._told: dict[int, list[tuple[float, str, int, int]]] = {}
        self._last: dict[int, tuple[int, int]] = {}
        self._processes: dict[tuple[str, int], Process] = {}
        follows = list(follows)
        hosts = {follow.main_pid: follow.host for follow in follows}
        for mark in marks:
            numbers = _numbers(mark.get("tasks"))
            at, main = mark.get("at"), mark.get("follow")
            if main is None:
                self._last.update(numbers)
            elif isinstance(main, int) and main in hosts and isinstance(at, int):
                self._tell(at, hosts[main], numbers)
        self._running: set[tuple[str, int]] = set()
        for follow in follows:
            self._tell(float("inf"), follow.host, follow.tasks)
            if follow.running:
                self._running |= {(follow.host, process) for process, _ in follow.tasks.values()}

    def _tell(self, at: float, host: str, numbers: Numbers) -> None:
        for tid, (process, thread) in numbers.items():
            self._told.setdefault(tid, []).append((at, host, process, thread))

    def find(self, tid: int, time: int) -> Task | None:
        """Return the thread that the kernel numbers `tid`; None where nobody followed it."""
        task = self.alive.get(tid)
        if task is None and tid in self._told:
            task = self.alive[tid] = self._followed(tid, time)
        return task

    def _followed(self, tid: int, time: int) -> Task:
        # It was told a moment after it began to be traced; numbers may be used again.
        _, ended = self._dead.get(tid, (None, 0))
        told = sorted(t for t in self._told[tid] if t[0] >= ended) or self._told[tid]
        before = [t for t in told if t[0] <= time]
        _, host, process, thread = before[-1] if before else told[0]
        shared = self._processes.get((host, process))
        if shared is None or shared.threads == 0:
            shared = self._processes[host, process] = Process(host, process)
            shared.at_gate = (host, process) not in self._running
        else:
            shared.threads += 1
        return Task(shared, thread)

    def born(self, tid: int, parent: Task, thread: bool, shares_files: bool) -> Task:
        """Put the thread that `parent` has just made."""
        process = parent.process
        if thread:
            process.threads += 1
        else:
            files = process.files if shares_files else process.files.copy()
            process = Process(process.host, None, files)
        self.alive[tid] = parent.child = Task(process)
        return self.alive[tid]

    def named(self, task: Task, number: int) -> None:
        """The number of a new thread has become known."""
        task.number = number
        if task.process.number is None:
            task.process.number = number
            self._processes[task.process.host, number] = task.process

    def context(self, tid: int, time: int) -> Task | None:
        """Return the followed thread in whose context something happened.

        Unlike `find`, also one that has just ended: its descriptors are closed after that.
        """
        task = self.alive.get(tid)
        if task is None and tid in self._dead:
            dead, at = self._dead[tid]
            task = dead if time - at < _CLOSING else None
        return task

    def target(self, tid: int, time: int) -> Task | None:
        """Return the followed thread to which something was sent; unlike `find` none that ended."""
        return self.find(tid, time) if tid in self.alive or tid not in self._dead else None

    def ended(self, tid: int, time: int) -> None:
        """Take away a thread."""
        task = self.alive.pop(tid)
        task.process.threads -= 1
        self._dead[tid] = task, time

    def taken_over(self, tid: int, before: int) -> Task | None:
        """Give a thread the number of its process's first; return whom that was.

        None where the thread is not known.
        """
        thread = self.alive.get(before)
        if thread is None:
            return None
        leader = self.alive.pop(tid, None)
        if leader is None:
            leader = self._dead[tid][0] if tid in self._dead else thread
        else:
            leader.process.threads -= 1
        del self.alive[before]
        self.alive[tid] = Task(thread.process, thread.process.number, thread.call)
        return leader

    def end(self) -> None:
        """At the end, name those that are still there and whose number nothing told."""
        for tid, (process, thread) in self._last.items():
            task = self.alive.get(tid)
            if task is not None and task.number is None:
                task.number = thread
                if task.process.number is None:
                    task.process.number = process


_CLOSING = 100_000_000
"""In ns, for how long after its end something may still happen by a thread."""


def _numbers(told: object) -> Numbers:
    found = {}
    for tid, pair in told.items() if isinstance(told, dict) else ():
        match pair:
            case [int(process), int(thread)] if re.fullmatch("[0-9]{1,10}", str(tid)):
                found[int(tid)] = (process, thread)
    return found
