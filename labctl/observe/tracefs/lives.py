"""How threads and processes begin, execute programs and end, as the trace tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from labctl.observe.tracefs import numbers
from labctl.observe.tracefs.decode import clone_flags
from labctl.observe.tracefs.lines import Line
from labctl.observe.tracefs.tasks import RawCall, Task, Tasks

RESTARTED = 516
"""ERESTART_RESTARTBLOCK: what a call that may go on returns, for the kernel's own use."""
_CLONE_FILES, _CLONE_THREAD = 0x400, 0x10000
_BROKEN_OFF = (4, 512, 513, 514, RESTARTED)
"""EINTR, and the kernel's own: what a call returns that a signal has broken off."""
_PROMPTLY = 10_000_000
"""In ns, how long after the end of such a call the signal is delivered at the latest."""
_HARMLESS = frozenset(
    ["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"]
)
"""Signals that end no process that does not handle them (signal(7))."""

_FORK = re.compile(rb" child_pid=(\d{1,10})\Z")
_NEW = re.compile(
    rb"pid=(\d{1,10}) .* clone_flags=([0-9a-f]{1,16}) oom_score_adj=-?\d+\Z", re.DOTALL
)
_EXEC = re.compile(rb"filename=(.*) pid=(\d{1,10}) old_pid=(\d{1,10})\Z", re.DOTALL)
_SIGNAL = re.compile(rb"sig=(\d{1,10}) .*sa_handler=0*([0-9a-f]{0,16}) ")
SENT = b"signal_generate"
_SENT = re.compile(rb"sig=(\d{1,10}) .* pid=(\d{1,10}) grp=\d+ res=0\Z", re.DOTALL)
_CHILD_ENDED = re.compile(rb"sig=17 errno=0 code=[123] ")
"""SIGCHLD with CLD_EXITED, CLD_KILLED or CLD_DUMPED (sigaction(2))."""


@dataclass(eq=False, slots=True)
class RawEvent:
    """What happened to a process, while its number is not yet known."""

    task: Task
    kind: str
    time: int
    child: Task | None = None
    program: str | None = None


def _broken_off(call: RawCall, time: int) -> bool:
    """Whether a signal, delivered at this time, has broken a call off."""
    promptly = call.end is not None and time - call.end < _PROMPTLY
    return promptly and -call.result in _BROKEN_OFF


class Lives:
    """Told of one event after the other; has what became of whom."""

    def __init__(self, tasks: Tasks) -> None:
        self.events: list[RawEvent] = []
        self.guessed = 0
        """New threads of which nothing told whether they are processes."""
        self.superseded = 0
        """Processes that executed a program in a thread that was not their first."""
        self._tasks = tasks
        self.handlers: dict[bytes, Callable[[Task, Line], None]] = {
            b"task_newtask": self._new,
            b"sched_process_fork": self._fork,
            b"sched_process_exec": self._exec,
            b"sched_process_exit": self._exit,
            b"signal_deliver": self._signal,
        }
        """By the name of the event; each is told the thread too."""

    def ending(self, task: Task, name: str, code: int) -> None:
        """Note with which code a thread, or with exit_group its process, is to end."""
        task.code = code
        if name == "exit_group" and task.process.code is None:
            task.process.code = code

    def _new(self, task: Task, line: Line) -> None:
        match = _NEW.match(line.text)
        if match is None or task.call is None:
            return  # the kernel made it for work of its own
        flags = int(match[2], 16)
        self._born(task, int(match[1]), flags)
        if task.call.name == "clone3":
            task.call.more.update(clone_flags(flags))

    def _born(self, parent: Task, tid: int, flags: int) -> Task:
        return self._tasks.born(
            tid, parent, bool(flags & _CLONE_THREAD), bool(flags & _CLONE_FILES)
        )

    def _fork(self, task: Task, line: Line) -> None:
        match = _FORK.search(line.text)
        if match is None:
            return
        child = task.child
        if child is None or self._tasks.alive.get(int(match[1])) is not child:
            child = self._born(task, int(match[1]), self._flags(task.call))
        kind = "thread" if child.process is task.process else "fork"
        self.events.append(RawEvent(task, kind, line.time, child))

    def _flags(self, call: RawCall | None) -> int:
        """Return with which flags a child was made where task_newtask did not say."""
        if call is not None and call.name in ("fork", "vfork"):
            return 0
        if call is not None and call.name == "clone" and call.values:
            return call.values[0]
        self.guessed += 1
        return _CLONE_THREAD | _CLONE_FILES  # as nearly every program uses clone3

    def _exec(self, task: Task, line: Line) -> None:
        match = _EXEC.match(line.text)
        if match is None:
            return
        program = match[1].decode("utf-8", "backslashreplace")
        task.process.files.executed()
        task.process.code = task.process.signal = None
        if task.call is not None:
            task.call.more["path"] = program
        by = task if task.call is None else task.call.task
        self.events.append(RawEvent(by, "exec", line.time, program=program))

    def take_over(self, line: Line) -> None:
        """Have a thread that is not the first and executes a program get the first one's number.

        The first thread's own end, which the kernel tells before, is not that of the process.
        """
        match = _EXEC.match(line.text)
        if match is None or int(match[2]) != line.tid or match[2] == match[3]:
            return
        leader = self._tasks.taken_over(line.tid, int(match[3]))
        if leader is not None:
            self.superseded += 1
            self.events = [e for e in self.events if e.task is not leader or e.kind != "exit"]

    def _exit(self, task: Task, line: Line) -> None:
        self._tasks.ended(line.tid, line.time)
        self.events.append(RawEvent(task, "exit", line.time))

    def sent(self, line: Line) -> None:
        """Note a signal that somebody, who may be a stranger, sent to a thread.

        A process that it ends gets SIGKILL delivered in its place, unless a core is dumped (the
        kernel's complete_signal); whatever is sent after that is ignored, so the last one counts.
        SIGCHLD is sent by the process that ends.
        """
        if _CHILD_ENDED.match(line.text):
            ended = self._tasks.context(line.tid, line.time)
            if ended is not None:
                ended.process.told_parent = True
            return
        match = _SENT.match(line.text)
        name = numbers.signal(int(match[1])) if match else ""
        if match is None or name in _HARMLESS:
            return
        task = self._tasks.target(int(match[2]), line.time)
        if task is not None:
            task.process.sent = name

    def _signal(self, task: Task, line: Line) -> None:
        match = _SIGNAL.match(line.text)
        name = numbers.signal(int(match[1])) if match else ""
        if match is None or name in _HARMLESS:
            return
        process = task.process
        if match[2]:
            process.sent = None if process.sent == name else process.sent
        elif name == "SIGKILL":
            task.signal = name  # also how the other threads of a process that exits are ended
            if task.last is not None and _broken_off(task.last, line.time):
                task.last.end = None  # the thread never saw it return
        elif process.code is None and process.signal is None:
            process.signal = name
