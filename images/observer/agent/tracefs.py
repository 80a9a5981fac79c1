"""Traces the system calls of a lab's processes in the kernel itself, nearly for free.

It needs the machine's own pid namespace and CAP_SYS_ADMIN, so one container does it for a
whole lab. What the kernel says is written to a file as it is, one event a line, for
`labctl.observe.tracefs` to read; lines of our own are between them (see tracefs_drain.py).

Calls are traced in one instance, whose filter lets only the followed threads and their
children pass. Changes of TCP states happen on behalf of packets, in whatever process is
interrupted, and signals come from anybody, so they are traced in an instance without a filter.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tracefs_drain import Drain
from tracefs_place import Instance, Place, Refused
from tracefs_tasks import Tasks, numbers, tasks_of, under_way

__all__ = ["Refused", "Stopped", "Tracefs", "remove_idle"]

_FORKS = ("clone", "clone3", "fork", "vfork")
_ENDS = ("exit", "exit_group")
_ALWAYS = (
    "sched:sched_process_fork",
    "sched:sched_process_exec",
    "sched:sched_process_exit",
    "task:task_newtask",
    "signal:signal_deliver",
    # These three tell addresses that the calls themselves only point at.
    "fib:fib_table_lookup",
    "fib6:fib6_table_lookup",
    "tcp:tcp_rcv_space_adjust",
)
_EVERY_CALL = ("syscalls:*", "sched:sched_switch")
"""All calls, and when each thread is given a processor and when it leaves it."""
_STATES = ("sock:inet_sock_set_state",)
_SENT = "signal:signal_generate"
"""Tells which signal ends a process: it is delivered as SIGKILL where no core is dumped."""
_SENT_FILTER = "result == 0 || sig == 17"
"""What was ignored ends nobody. SIGCHLD tells a parent that a child ended: also where it has
not asked for it, but not where it ignores the signal, and leaves no zombie."""
_OTHER_NAME = {"sendfile": "sendfile64"}
"""Calls whose event has another name (64-bit kernels)."""


@dataclass(frozen=True)
class Stopped:
    """What came of it: events that the kernel's buffers had no room for, bytes written, and
    why the end is missing, where it is."""

    lost: int
    written: int
    cut: str | None


class Tracefs:
    """One trace under one name: `start`, `follow` as often as wanted, `stop`.

    Not for several threads at once. Every error but a `follow` of what is not there is
    Refused, with a sentence that says why.
    """

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) or name.strip(".") == "":
            raise Refused(f"not a name for a trace: {name!r}")
        self.name = name
        self.skipped: tuple[str, ...] = ()
        """Calls that were asked for and that this kernel does not know or trace."""
        self._place: Place | None = None
        self._instances: list[Instance] = []
        self._drain: Drain | None = None
        self._stopped: Stopped | None = None

    def start(
        self,
        calls: Iterable[str],
        output: Path,
        *,
        max_bytes: int = 1 << 30,
        buffer_kb: int = 64 << 10,
        every_call: bool = False,
    ) -> None:
        """Begin to trace these calls (man page names), so far of nobody, into `output`.

        With `every_call`, all others too, and which thread has a processor when.
        `buffer_kb` KiB of the kernel's memory are divided among the processors for calls, and a
        quarter as much for states. What is traced beyond `max_bytes` is not written, and
        tracing turned off. Raises Refused; nothing is left behind then.
        """
        try:
            self._place = Place()
            self._drain = Drain(output, max_bytes, self._off)
            with self._place.alone():
                self._place.remove_idle()
                for kind, size in (("calls", buffer_kb), ("states", buffer_kb // 4)):
                    made = Instance(self._place, self.name, kind, size)
                    self._instances.append(made)
                    self._drain.take_from(made.pipe(), made.filled)
            own = self._instances[0]
            _check_numbers(own)
            own.write("set_event_pid", str(_NOBODY))
            own.write("options/event-fork", "1")
            self.skipped = _enable_calls(own, calls)
            own.enable(_ALWAYS)
            if every_call and own.enable(_EVERY_CALL):
                raise Refused("this kernel does not trace every call (syscalls, sched_switch)")
            if self._instances[1].enable(_STATES):
                raise Refused("this kernel does not tell TCP states (sock:inet_sock_set_state)")
            # Without it SIGKILL is told of whatever signal ended a process.
            sent = self._instances[1].enable_some(_SENT, _SENT_FILTER)
            self._drain.mark(tracer="tracefs", ahead=_ahead(), skipped=self.skipped, sigchld=sent)
            for instance in self._instances:
                instance.write("tracing_on", "1")
            self._drain.start()
        except OSError as error:
            self._leave()
            raise Refused(f"tracing cannot be started: {error}") from None
        except Refused:
            self._leave()
            raise

    @property
    def cut(self) -> str | None:
        """Why tracing has ended by itself, in words; None while it goes on."""
        return self._drain.cut if self._drain else None

    def follow(self, main_pid: int, pids: Collection[int] | None = None) -> Tasks:
        """Trace processes of a container, and all that they fork, from now on.

        `main_pid` is the kernel's number of the container's main process, `pids` are numbers in
        its pid namespace, None stands for all of its processes. Returns, by the kernel's number
        of each thread, its process and itself in that namespace. Raises ProcessLookupError
        where there is no `main_pid`; of `pids` that are not there nothing is returned.
        """
        if self._drain is None:
            raise Refused("tracing has not started")
        found: Tasks = {}
        # A thread that another one makes meanwhile is found in the next round.
        for _ in range(_ROUNDS):
            now = tasks_of(main_pid, pids)
            new = [tid for tid in now if tid not in found]
            if not new:
                break
            found |= now
            self._instances[0].add("set_event_pid", " ".join(map(str, new)))
        since = time.time_ns()
        calls = under_way(found)
        at = {"since": since, "at": time.time_ns(), "machine": os.uname().machine}
        self._drain.mark(follow=main_pid, tasks=found, under_way=calls, **at)
        return found

    def stop(self) -> Stopped:
        """Stop tracing, write what is left, and take away all that was made; once or more."""
        if self._stopped is not None:
            return self._stopped
        if self._drain is None:
            self._leave()
            return Stopped(0, 0, None)
        self._drain.mark(tasks=self._still_there(), at=time.time_ns())
        self._off()
        self._drain.finish()
        lost = sum(instance.lost() for instance in self._instances)
        self._drain.mark(lost=lost, cut=self._drain.cut)
        self._stopped = Stopped(lost, self._drain.written, self._drain.cut)
        self._leave()
        return self._stopped

    def _still_there(self) -> Tasks:
        with suppress(OSError, ValueError):
            tids = map(int, self._instances[0].read("set_event_pid").split())
            return numbers({tid for tid in tids if tid != _NOBODY})
        return {}

    def _off(self) -> None:
        for instance in self._instances:
            with suppress(OSError):
                instance.write("tracing_on", "0")

    def _leave(self) -> None:
        if self._drain is not None:
            self._drain.close()
        for instance in self._instances:
            instance.remove()
        if self._place is not None:
            self._place.leave()
        self._instances, self._drain, self._place = [], None, None


def remove_idle() -> list[str]:
    """Remove the instances of tracers that were killed; return what they were called.

    Raises Refused where tracefs cannot be used.
    """
    place = Place()
    try:
        with place.alone():
            return place.remove_idle()
    finally:
        place.leave()


_ROUNDS = 20
_NOBODY = (1 << 22) - 1
"""A filter that lets nobody pass; an empty one would let everybody. The kernel's greatest
possible number of a process, PID_MAX_LIMIT, is one more."""


def _enable_calls(instance: Instance, calls: Iterable[str]) -> tuple[str, ...]:
    skipped = []
    wanted = dict.fromkeys(calls)
    for call in dict.fromkeys((*wanted, *_FORKS, *_ENDS)):
        name = _OTHER_NAME.get(call, call)
        missing = instance.enable(f"syscalls:sys_{way}_{name}" for way in ("enter", "exit"))
        if missing and call in wanted:
            skipped.append(call)
    return tuple(skipped)


def _ahead() -> int:
    """Return how many nanoseconds the clock `tai` is ahead of CLOCK_REALTIME: whole seconds."""
    apart = time.clock_gettime(time.CLOCK_TAI) - time.clock_gettime(time.CLOCK_REALTIME)
    return round(apart) * 1_000_000_000


def _check_numbers(instance: Instance) -> None:
    """Raise Refused unless the numbers that we see of processes are the kernel's own."""
    instance.write("tracing_on", "1")
    instance.write("trace_marker", "labctl asks for its own number")
    instance.write("tracing_on", "0")
    seen = re.search(r"-(\d+) +\[.*labctl asks for its own number", instance.read("trace"))
    instance.write("trace", "")
    if seen is None:
        raise Refused("the kernel does not trace what is asked of it")
    if int(seen[1]) != os.getpid():
        raise Refused(
            f"this machine is itself in a container: the kernel's number of process "
            f"{os.getpid()} is {seen[1]}"
        )
