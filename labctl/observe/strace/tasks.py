"""Which process a thread's number stood for at each moment: numbers are used again. Pure.

A child's lines may come before the line that says whose child it is: its parent's clone has
returned only when that is told. So a call keeps its Task, and the process is asked for at the
end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Open:
    """A call that has been entered; `text` is what strace has told of its arguments."""

    task: Task
    name: str
    text: str
    start: int


@dataclass(slots=True, eq=False)
class Task:
    """One thread, from its beginning to its end."""

    tid: int
    process: Task | None = None
    """The first thread of its process, where that is another one."""
    first: int | None = None
    """When it was first seen."""
    claimed: bool = False
    """Whether it is known which call made it."""
    ended: bool = False
    told_parent: bool = False
    """Whether SIGCHLD told its parent of its end."""
    open: Open | None = None
    interrupted: Open | None = None
    """The last call in which a signal interrupted it, and that it may go on in."""

    @property
    def pid(self) -> int:
        task = self
        while task.process is not None:
            task = task.process
        return task.tid

    def belongs_to(self, other: Task) -> None:
        """Make it a thread of another's process."""
        above: Task | None = other
        while above is not None:
            if above is self:
                return
            above = above.process
        self.process = other


class Tasks:
    """The threads that live, by number."""

    def __init__(self, threads: Mapping[int, int]) -> None:
        self._by_tid = {tid: Task(tid) for tid in {*threads, *threads.values()}}
        for tid, pid in threads.items():
            self._by_tid[tid].belongs_to(self._by_tid[pid])

    def seen(self, tid: int, time: int) -> Task:
        """Return the thread that has a number now; one that has ended has it no more."""
        task = self._by_tid.get(tid)
        if task is None or task.ended:
            task = self._by_tid[tid] = Task(tid)
        if task.first is None:
            task.first = time
        return task

    def made(self, tid: int, parent: Task, start: int, *, thread: bool) -> tuple[Task, Open | None]:
        """Return the thread that a call, entered at `start`, has made.

        It may have been seen already, and even have ended (vfork returns after that). The
        other thing returned is the call that a thread was in which had this number before
        and whose end was not told.
        """
        task, left = self._by_tid.get(tid), None
        if task is None or task.claimed or (task.first is not None and task.first < start):
            left = task.open if task else None
            task = self._by_tid[tid] = Task(tid)
        task.claimed = True
        task.process = None
        if thread:
            task.belongs_to(parent)
        return task, left

    def superseded(self, leader: Task, tid: int) -> None:
        """Have a thread that executes another program become its process's first one.

        Its call goes on under that number.
        """
        task = self._by_tid.pop(tid, None)
        if task is not None and task is not leader:
            task.belongs_to(leader)
            leader.open, task.open = task.open, None

    def told_parent(self, tid: int) -> None:
        """Note that a parent has been told of the end of a process."""
        task = self._by_tid.get(tid)
        if task is not None and task.ended:
            task.told_parent = True

    def living(self) -> Iterable[Task]:
        return self._by_tid.values()
