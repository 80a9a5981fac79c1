"""What the rules look up in a timeline, each table made once, in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from labctl.sequence.connection import Side, Socket
from labctl.sequence.diagnose.names import Names, Thread
from labctl.sequence.diagnose.ports import Ports
from labctl.sequence.events import Call, ProcessEvent, Segment
from labctl.sequence.verbs import verb

if TYPE_CHECKING:
    from labctl.sequence.diagnose.flow import Flow
    from labctl.sequence.timeline import Timeline


class Facts(Names):
    """A timeline, and tables of it. All times are nanoseconds since the Unix epoch."""

    def __init__(self, timeline: Timeline) -> None:
        self.connections = timeline.connections
        self.sockets: dict[int, Socket] = {socket.id: socket for socket in timeline.sockets}
        self.calls = timeline.calls
        self.flows: dict[tuple[int, bool], Flow] = {}
        """By connection, and whether it is what the client sent: see `flow.flow`."""
        super().__init__(timeline.recording)

    @cached_property
    def end(self) -> int:
        """When the last event was."""
        seen = [
            *(call.end or call.start for call in self.calls),
            *(max(s.time, arrival(s) or 0) for s in self.recording.segments),
            *(change.time for change in self.recording.states[-1:]),
            *(event.time for event in self.recording.processes[-1:]),
        ]
        return max(seen, default=0)

    @cached_property
    def socket_calls(self) -> dict[int, list[Call]]:
        """The calls on each socket, of all processes, in the order of time."""
        table: dict[int, list[Call]] = defaultdict(list)
        for call in self.calls:
            if call.socket is not None:
                table[call.socket].append(call)
        return table

    @cached_property
    def thread_calls(self) -> dict[Thread, list[Call]]:
        """The calls of each thread, in the order of time."""
        table: dict[Thread, list[Call]] = defaultdict(list)
        for call in self.calls:
            table[call.host, call.tid].append(call)
        return table

    @cached_property
    def process_calls(self) -> dict[Thread, list[Call]]:
        """The calls of each process, of all its threads, in the order of time."""
        table: dict[Thread, list[Call]] = defaultdict(list)
        for call in self.calls:
            table[call.host, call.pid].append(call)
        return table

    @cached_property
    def opens(self) -> dict[Thread, list[Call]]:
        """The accepts and connects of each process, in the order of time."""
        return _those(self.process_calls, ("accept", "connect"))

    @cached_property
    def thread_opens(self) -> dict[Thread, list[Call]]:
        """The accepts and connects of each thread, in the order of time."""
        return _those(self.thread_calls, ("accept", "connect"))

    @cached_property
    def multiplexing(self) -> dict[Thread, list[Call]]:
        """The calls by which a process waits for several descriptors at once, where any does.

        A poll of one descriptor is how a timeout is made (Python's settimeout), and no such.
        """
        polls = _those(self.process_calls, ("poll", "epoll"))
        return {process: calls for process, calls in polls.items() if any(map(_several, calls))}

    @cached_property
    def wholesale(self) -> set[Thread]:
        """The processes that closed many descriptors at once, nobody sees which."""
        return {(call.host, call.pid) for call in self.calls if call.name == "close_range"}

    @cached_property
    def ends(self) -> dict[Thread, ProcessEvent]:
        """How each thread ended, and so each process: as its first thread did."""
        events = self.recording.processes
        return {(event.host, event.tid): event for event in events if event.kind == "exit"}

    @cached_property
    def forks(self) -> dict[Thread, ProcessEvent]:
        """The fork that made each process."""
        events = self.recording.processes
        return {
            (event.host, event.child): event
            for event in events
            if event.kind == "fork" and event.child is not None
        }

    @cached_property
    def ports(self) -> Ports:
        return Ports.of(self.sockets.values(), self.socket_calls)

    def calls_on(self, side: Side) -> list[Call]:
        """Return all calls on the socket of one end, of all processes."""
        return self.socket_calls.get(side.socket.id, []) if side.socket else []

    def until(self, call: Call) -> int:
        """Return when a call ended: by return, with its thread, or with the recording."""
        if call.end is not None:
            return call.end
        end = self.ends.get((call.host, call.tid)) or self.ends.get((call.host, call.pid))
        return max(end.time, call.start) if end else max(self.end, call.start)


def arrival(segment: Segment) -> int | None:
    """Return when a segment came to its target; None where it was not seen to."""
    if segment.received:
        return segment.received.time
    # What crosses the loopback interface is captured once.
    return segment.sent.time if segment.sent and segment.sent.network == "lo" else None


def begin(call: Call) -> int:
    return call.start


def following(
    calls: list[Call], after: int, until: int | None = None, facts: Facts | None = None
) -> Call | None:
    """Return the first call that began after a time, and (with `until`) lasted beyond another.

    `calls` are in the order of time.
    """
    place = bisect_right(calls, after, key=begin)
    if until is not None and facts is not None:
        later = bisect_right(calls, until, key=begin)
        if later > place and facts.until(calls[later - 1]) > until:
            return calls[later - 1]
        place = max(place, later)
    return calls[place] if place < len(calls) else None


def latest(calls: list[Call], time: int) -> Call | None:
    """Return the last call that began by a time; `calls` are in the order of time."""
    place = bisect_right(calls, time, key=begin)
    return calls[place - 1] if place else None


def _those(table: dict[Thread, list[Call]], verbs: tuple[str, ...]) -> dict[Thread, list[Call]]:
    found = {key: [c for c in calls if verb(c.name) in verbs] for key, calls in table.items()}
    return {key: calls for key, calls in found.items() if calls}


def _several(call: Call) -> bool:
    if verb(call.name) == "epoll":
        return True
    named = call.args.get("descriptors")
    sets = [call.args.get(name) for name in ("read", "write", "except")]
    together = sum(len(each) for each in sets if isinstance(each, list))
    return (len(named) if isinstance(named, dict | list) else 0) + together > 1
