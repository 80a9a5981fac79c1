"""What was done, and by which thread; made into events when all is known. Pure."""

from __future__ import annotations

from typing import NamedTuple

from labctl.observe.strace.decode import Decoded, as_far_as_possible, decode
from labctl.observe.strace.lines import Line, Outcome
from labctl.observe.strace.notices import Notices
from labctl.observe.strace.options import RESTART, RING
from labctl.observe.strace.tasks import Open, Task, Tasks
from labctl.observe.strace.values import Unreadable
from labctl.sequence.events import Call, ProcessEvent, Value
from labctl.sequence.verbs import FAMILIES

NEVER = Outcome(None, None, "", None)
"""Of a call that has not returned."""

_MAKERS = frozenset(FAMILIES["fork"])
_EXECUTERS = frozenset(FAMILIES["exec"])

_Done = tuple[Task, str, int, int | None, int | None, str | None, int | None, dict[str, Value]]
"""Of a call: thread, name, start, end, result, errno, descriptor, arguments. A plain tuple, as
there are many."""


class _Made(NamedTuple):
    """A process or a thread that a call has made."""

    call: Open
    end: int
    child: Task
    thread: bool


class _Executed(NamedTuple):
    task: Task
    end: int
    program: str | None


class Story:
    """Collects what lines have told."""

    def __init__(self, tasks: Tasks, notices: Notices) -> None:
        self._tasks = tasks
        self._notices = notices
        self._done: list[_Done] = []
        self._made: list[_Made] = []
        self._executed: list[_Executed] = []
        self._ended: list[tuple[Task, Line]] = []

    def returned(self, call: Open, outcome: Outcome, told: int, line: str) -> None:
        """Add a call. `told` is the time of its last line; without a line it never returned."""
        result, errno, remark, duration = outcome
        end = None
        if result is not None:
            end = told if duration is None else call.start + duration
        fd, args = self._decoded(call, remark, line)
        if errno == "ERESTART_RESTARTBLOCK":
            call.task.interrupted = call
        if call.name == RING:
            self._notices.rings += 1
        elif call.name != RESTART:
            self._done.append((call.task, call.name, call.start, end, result, errno, fd, args))
        if end is not None and errno is None:
            self._succeeded(call, result, end, args)

    def ended(self, task: Task, line: Line) -> None:
        self._ended.append((task, line))

    def _decoded(self, call: Open, remark: str, line: str) -> Decoded:
        if remark and "[" not in remark and not remark.startswith("flags "):
            remark = ""
        try:
            return decode(call.name, call.text, remark)
        except Unreadable:
            if line:
                self._notices.unreadable(line, call_known=True)
            return as_far_as_possible(call.name, call.text)

    def _succeeded(self, call: Open, result: int | None, end: int, args: dict[str, Value]) -> None:
        if call.name in _EXECUTERS:
            path = args.get("path")
            program = path if isinstance(path, str) else None
            self._executed.append(_Executed(call.task, end, program))
        elif call.name in _MAKERS and result:
            flags = args.get("flags")
            thread = isinstance(flags, list) and "CLONE_THREAD" in flags
            child, left = self._tasks.made(result, call.task, call.start, thread=thread)
            if left is not None:
                self.returned(left, NEVER, left.start, "")
            self._made.append(_Made(call, end, child, thread))

    def calls(self, host: str) -> tuple[Call, ...]:
        """Return all calls by start."""
        found = [
            Call(host, task.pid, task.tid, name, start, end, result, errno, fd, args)
            for task, name, start, end, result, errno, fd, args in self._done
        ]
        return tuple(sorted(found, key=lambda call: call.start))

    def processes(self, host: str) -> tuple[ProcessEvent, ...]:
        """Return what became of processes and threads, by time."""
        found = [
            *(_made(host, made) for made in self._made),
            *(
                ProcessEvent(host, task.pid, task.tid, "exec", end, program=program)
                for task, end, program in self._executed
            ),
            *(_ended(host, task, line) for task, line in self._ended),
        ]
        return tuple(sorted(found, key=lambda event: event.time))


def _made(host: str, made: _Made) -> ProcessEvent:
    """Return the event, at the moment from which the child was there for certain.

    That is when it was first seen, or else when the call that made it returned (vfork does so
    when the child has ended or executes another program).
    """
    call, end, child, thread = made
    time = end
    if child.first is not None and call.start <= child.first < end:
        time = child.first
    kind = "thread" if thread else "fork"
    return ProcessEvent(host, call.task.pid, call.task.tid, kind, time, child=child.tid)


def _ended(host: str, task: Task, line: Line) -> ProcessEvent:
    code = int(line.name) if line.kind == "exited" else None
    signal = line.name if line.kind == "killed" else None
    told = task.told_parent if task.tid == task.pid else None
    return ProcessEvent(
        host, task.pid, task.tid, "exit", line.time, code=code, signal=signal, told_parent=told
    )
