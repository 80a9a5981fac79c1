"""Recordings written by hand, for tests: threads that call, a wire that carries segments.

    story = Story(client="10.0.0.1", server="10.0.0.2")
    server = story.thread("server")
    server.call("socket", result=3, family="AF_INET", type="SOCK_STREAM")
    waiting = server.begin("accept", fd=3)            # blocked: other things happen now
    ...
    server.end(waiting, result=4, address="10.0.0.1:40000")
    recording = story.recording()

Everything takes its time from `story.now`, which ticks on with every stamp, so that what is
written first happened first. `tests.unit.sequence.exchanges` has whole recordings ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from labctl.sequence.events import (
    Call,
    Endpoint,
    OpenSocket,
    ProcessEvent,
    Segment,
    Sighting,
    StateChange,
)
from labctl.sequence.recording import ObservedHost, Recording

START = 1_700_000_000_000_000_000
"""When every story begins."""

TICK = 10_000
"""Nanoseconds between one stamp and the next."""


class Story:
    """A recording in the making. `addresses` are those of the hosts, by their names."""

    def __init__(self, tracer: str = "strace", **addresses: str) -> None:
        self.addresses = addresses
        self.now = START
        self.tracer = tracer
        self.routers: tuple[str, ...] = ()
        self.calls: list[Call] = []
        self.segments: list[Segment] = []
        self.states: list[StateChange] = []
        self.processes: list[ProcessEvent] = []
        self.open_sockets: list[OpenSocket] = []

    def tick(self, ns: int = TICK) -> int:
        """Let time pass, and return the time it is then."""
        self.now += ns
        return self.now

    def thread(self, host: str, pid: int = 100, tid: int | None = None) -> Thread:
        """Return a thread of a process, by default its first."""
        return Thread(self, host, pid, tid or pid)

    def host_of(self, address: str) -> str | None:
        return next((name for name, own in self.addresses.items() if own == address), None)

    def segment(
        self,
        source: str,
        target: str,
        flags: str = "ACK",
        seq: int | None = None,
        ack: int | None = None,
        length: int = 0,
        *,
        protocol: str = "tcp",
        host: str | None = None,
        lost: bool = False,
        via: Sequence[str] = (),
        **more: Any,
    ) -> Segment:
        """Send a packet that arrives one tick later; `host` is where both ends are (loopback).

        `flags` are joined by hyphens: `SYN-ACK`. `lost` packets are only seen where they left.
        """
        origin, goal = Endpoint.parse(source), Endpoint.parse(target)
        network = "lo" if host else "net"
        sender = host or self.host_of(origin.address)
        receiver = host or self.host_of(goal.address)
        sent = Sighting(sender, network, self.tick()) if sender else None
        between = tuple(Sighting(router, network, self.tick()) for router in via)
        received = Sighting(receiver, network, self.tick()) if receiver and not lost else None
        made = Segment(
            protocol,
            origin,
            goal,
            sent,
            received,
            between,
            tuple(flags.split("-")) if flags and protocol == "tcp" else (),
            seq,
            ack,
            length,
            **more,
        )
        self.segments.append(made)
        return made

    def state(self, host: str, local: str, remote: str, old: str, new: str) -> StateChange:
        made = StateChange(
            host, self.tick(), Endpoint.parse(local), Endpoint.parse(remote), old, new
        )
        self.states.append(made)
        return made

    def recording(self, title: str = "story") -> Recording:
        """Return all that was written, each kind of event in the order of time."""
        hosts = tuple(
            ObservedHost(name, {"net": address}, router=name in self.routers)
            for name, address in self.addresses.items()
        )
        return Recording(
            title,
            self.tracer,
            hosts,
            tuple(sorted(self.calls, key=lambda c: c.start)),
            tuple(sorted(self.segments, key=lambda s: s.time)),
            tuple(sorted(self.states, key=lambda s: s.time)),
            tuple(sorted(self.processes, key=lambda p: p.time)),
            tuple(self.open_sockets),
        )


@dataclass(frozen=True)
class Thread:
    """One thread of one process, which makes calls."""

    story: Story
    host: str
    pid: int
    tid: int

    def begin(self, name: str, fd: int | None = None, **args: Any) -> Call:
        """Enter a call; it stays in the recording as never returned unless `end` ends it."""
        call = Call(
            self.host, self.pid, self.tid, name, self.story.tick(), None, None, None, fd, args
        )
        self.story.calls.append(call)
        return call

    def end(
        self, call: Call, result: int | None = 0, errno: str | None = None, **args: Any
    ) -> Call:
        """Return from a call that was entered, now; `args` are what it then told."""
        done = replace(
            call,
            end=self.story.tick(),
            result=-1 if errno else result,
            errno=errno,
            args={**call.args, **args},
        )
        calls = self.story.calls
        calls[next(i for i in reversed(range(len(calls))) if calls[i] is call)] = done
        return done

    def call(
        self,
        name: str,
        fd: int | None = None,
        result: int | None = 0,
        errno: str | None = None,
        **args: Any,
    ) -> Call:
        """Make a call that returns before anything else happens."""
        return self.end(self.begin(name, fd, **args), result, errno)

    def fork(self, child: int, *, stamped_late: bool = False, flags: Sequence[str] = ()) -> Thread:
        """Fork a process; `stamped_late` leaves its ticks to the child before clone returns.

        With `stamped_late` the clone is stamped as returned 10 ticks later than now.
        """
        call = self.begin("clone", flags=list(flags))
        if stamped_late:
            self.story.calls[-1] = replace(call, end=self.story.now + 10 * TICK, result=child)
            time = self.story.now + 10 * TICK
        else:
            time = self.end(call, child).end or 0
        self.story.processes.append(
            ProcessEvent(self.host, self.pid, self.tid, "fork", time, child)
        )
        return Thread(self.story, self.host, child, child)

    def spawn(self, tid: int) -> Thread:
        """Start another thread of the same process."""
        done = self.call("clone", result=tid, flags=["CLONE_VM", "CLONE_FILES", "CLONE_THREAD"])
        self.story.processes.append(
            ProcessEvent(self.host, self.pid, self.tid, "thread", done.end or 0, tid)
        )
        return Thread(self.story, self.host, self.pid, tid)

    def exec(self, program: str) -> None:
        done = self.call("execve", path=program)
        self.story.processes.append(
            ProcessEvent(self.host, self.pid, self.tid, "exec", done.end or 0, program=program)
        )

    def exit(
        self, code: int | None = 0, signal: str | None = None, told_parent: bool | None = None
    ) -> None:
        self.story.processes.append(
            ProcessEvent(
                self.host,
                self.pid,
                self.tid,
                "exit",
                self.story.tick(),
                code=None if signal else code,
                signal=signal,
                told_parent=told_parent,
            )
        )
