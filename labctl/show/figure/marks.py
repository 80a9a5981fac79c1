"""The moments of a figure that are no calls and no segments: forks, ends, new TCP states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from labctl.sequence.connection import Connection
from labctl.sequence.events import Call, ProcessEvent, StateChange
from labctl.sequence.timeline import Timeline
from labctl.show.figure.ends import Ends
from labctl.show.figure.lanes import Thread, thread_of
from labctl.show.figure.units import plain


class Marked(NamedTuple):
    """A mark before its lane and row are known."""

    thread: Thread
    event: StateChange | ProcessEvent
    kind: str
    text: str
    connection: int | None = None
    target: Thread | None = None


def process_marks(timeline: Timeline, parents: Mapping[Thread, Thread | None]) -> Iterator[Marked]:
    """Yield where drawn threads (the keys of `parents`) were made and where they ended."""
    threads = {(thread.host, thread.tid): thread for thread in parents}
    for event in timeline.recording.processes:
        if event.kind in ("fork", "thread"):
            child = threads.get((event.host, event.child))
            above = parents[child] if child else None
            if child and above:
                maker = thread_of(event)
                maker = maker if maker in parents else above
                yield Marked(maker, event, "fork", event.kind, target=child)
        elif event.kind == "exit" and (thread := threads.get((event.host, event.tid))):
            yield Marked(thread, event, "exit", _ending(event))


def _ending(event: ProcessEvent) -> str:
    if event.signal:
        return plain(event.signal)
    return "exit" if event.code is None else f"exit {event.code}"


def state_marks(
    timeline: Timeline, connections: tuple[Connection, ...], calls: list[Call], ends: Ends
) -> Iterator[Marked]:
    """Yield the new TCP states of drawn connections, and of sockets that listen."""
    for connection in connections:
        for change in connection.states:
            found = ends.side(change.host, change.local, connection.id)
            if found is not None:
                opening = change.new in ("SYN-SENT", "SYN-RECEIVED", "ESTABLISHED")
                thread = found.handshake if opening else found.rest
                yield Marked(thread, change, "state", plain(change.new), connection.id)
    owned = {id(change) for connection in timeline.connections for change in connection.states}
    listens = [call for call in calls if call.name == "listen"]
    for change in timeline.recording.states:
        if change.new == "LISTEN" and id(change) not in owned:
            made = (c for c in listens if c.host == change.host and _within(change.time, c))
            if call := next(made, None):
                yield Marked(thread_of(call), change, "state", "LISTEN")


def _within(time: int, call: Call) -> bool:
    return call.start <= time and (call.end is None or time <= call.end)
