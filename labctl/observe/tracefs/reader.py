"""Follows the threads through the trace: pairs entries of calls with their returns. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.observe.tracefs import states, under_way
from labctl.observe.tracefs.addresses import Addresses
from labctl.observe.tracefs.decode import signed
from labctl.observe.tracefs.files import RawSocket
from labctl.observe.tracefs.lines import Line
from labctl.observe.tracefs.lives import RESTARTED, SENT, Lives
from labctl.observe.tracefs.states import RawState
from labctl.observe.tracefs.tasks import RawCall, Task, Tasks
from labctl.observe.tracefs.wanted import RESTART, RING
from labctl.observe.tracefs.working import SWITCH, Working
from labctl.sequence.verbs import verb

_ENDS = ("exit", "exit_group")
_NAME = {
    "sendfile64": "sendfile",
    "newfstat": "fstat",
    "newlstat": "lstat",
    "newstat": "stat",
    "newuname": "uname",
    "umount": "umount2",
}
"""Linux's own names of calls, where the man page has another."""
_SIGRETURN = "rt_sigreturn"
"""It goes back to where a signal has interrupted: the kernel tells no return of it."""
_EXEC = b"sched_process_exec"
_HALF = 500
"""In ns: the kernel rounds its nanoseconds to the nearest microsecond, so a call began at the
earliest so long before the time shown, and ended at the latest so long after it."""


class Reader:
    """Told of one line after the other; has what they were about."""

    def __init__(self, tasks: Tasks, *, every_call: bool = False) -> None:
        self.working = Working()
        self._every_call = every_call
        self.calls: dict[int, RawCall] = {}
        """By their `id`, in the order in which they began."""
        self.states: list[RawState] = []
        self.listeners: list[RawSocket] = []
        self.strangers = 0
        """Lines of threads that nobody was told to follow."""
        self.rings: set[str] = set()
        """Hosts on which a program made an io_uring instance."""
        self.lives = Lives(tasks)
        self._tasks = tasks
        self._addresses = Addresses()
        self._events = {
            **self.lives.handlers,
            b"fib_table_lookup": self._addresses.route,
            b"fib6_table_lookup": self._addresses.route,
            under_way.EVENT: self._was_in,
            b"tcp_rcv_space_adjust": self._addresses.received,
        }

    def read(self, line: Line) -> None:
        """Take in the next line."""
        if line.event == b"inet_sock_set_state":
            self._state(line)
            return
        if line.event == SWITCH:
            self._switched(line)
            return
        if line.event == SENT and not line.call:
            self.lives.sent(line)
            return
        handle = None if line.call else self._events.get(line.event)
        if not line.call and handle is None:
            return
        if line.event == _EXEC:
            self.lives.take_over(line)
        task = self._tasks.find(line.tid, line.time)
        if self._every_call and task is not None:
            self.working.heard(line.tid, task, line.time)
        if task is None:
            self.strangers += 1
        elif handle is not None:
            handle(task, line)
            if line.event == _EXEC and task.process.at_gate:
                task.process.at_gate = False
                self.working.became_a_program(task.process)
        elif line.result is None:
            self._entered(task, line)
        else:
            self._returned(task, line)

    def _entered(self, task: Task, line: Line) -> None:
        name, values = _NAME.get(line.call, line.call), line.values
        if name in _ENDS:
            self.lives.ending(task, name, signed(values[0] if values else 0) & 0xFF)
            if self._every_call:
                self._begin(task, name, line, values)
        elif name == RING:
            self.rings.add(task.process.host)
        elif name == _SIGRETURN:
            call = self._begin(task, name, line, values)
            call.end, task.call = line.time + _HALF, None
        elif name != RESTART:
            self._begin(task, name, line, values)
        elif task.interrupted is not None:
            self._begin(task, task.interrupted.name, line, task.interrupted.values)

    def _begin(self, task: Task, name: str, line: Line, values: Sequence[int]) -> RawCall:
        if task.call is not None and task.call.guessed:
            del self.calls[id(task.call)]
        files = task.process.files
        socket = files.find(values[0]) if values else None
        call = task.call = RawCall(task, name, line.time - _HALF, values, socket)
        self.calls[id(call)] = call
        files.entered(call)
        return call

    def _returned(self, task: Task, line: Line) -> None:
        call, task.call = task.call, None
        if call is None or _NAME.get(line.call, line.call) not in (call.name, RESTART):
            if call is not None and call.guessed:
                del self.calls[id(call)]
            return  # it was entered before it was followed, or by the parent (fork)
        call.end, call.result = line.time + _HALF, line.returned
        task.last = call
        if call.result == -RESTARTED:
            task.interrupted = call
        child, task.child = task.child, None
        if call.result >= 0:
            task.process.files.returned(call)
            if call.name == "listen" and call.socket and call.socket not in self.listeners:
                self.listeners.append(call.socket)
            if child is not None and call.result > 0 and verb(call.name) == "fork":
                self._tasks.named(child, call.result)
        self._addresses.over(task, call)

    def _switched(self, line: Line) -> None:
        self.working.left(line.tid, self._tasks.alive.get(line.tid), line.time)
        self.working.given(line)

    def _was_in(self, task: Task, line: Line) -> None:
        """A thread was in a call when it began to be followed, as /proc tells.

        That it was another call, which had just begun, shows in the next line.
        """
        if task.call is None:
            name, values = under_way.read(line.text)
            self._begin(task, name, line, values).guessed = True

    def _state(self, line: Line) -> None:
        task = None if line.soft else self._tasks.context(line.tid, line.time)
        state = states.read(line, task.process.host if task else None)
        if state is None:
            return
        self.states.append(state)
        if task is not None:
            self._addresses.changed(task, state)
