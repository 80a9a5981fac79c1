"""What became of each connect: its errno, the packets that it cost, and how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labctl.sequence.arguments import endpoint
from labctl.sequence.completion import completion
from labctl.sequence.connection import Connection
from labctl.sequence.events import Call, Endpoint, Segment
from labctl.sequence.pattern.calls import BEGUN
from labctl.sequence.pattern.wire import labelled, words

if TYPE_CHECKING:
    from labctl.sequence.timeline import Timeline

AGAIN = "SYN again"


@dataclass(frozen=True, slots=True)
class Connect:
    """One connect of a TCP socket.

    `first` is the errno that connect itself returned, `errno` how the attempt went out in the
    end; None is success. `known` is False where the program did not wait for that. `start` and
    `end` (nanoseconds since the Unix epoch) are those of connect; of one that did not wait, `end`
    is when the program learned of it, or gave up. `packets` are the segments of the handshake and
    the ICMP errors, in the words of patterns, each with how often it was seen; none where nothing
    was on the wire. `connection` is the `id` in the timeline, None where it was no attempt.
    """

    host: str
    pid: int
    target: Endpoint | None
    server: str | None
    first: str | None
    errno: str | None
    known: bool
    start: int
    end: int | None
    packets: tuple[tuple[str, int], ...]
    connection: int | None

    @property
    def seconds(self) -> float | None:
        """How long it took, None where connect never returned."""
        return None if self.end is None else (self.end - self.start) / 1e9


def connects(timeline: Timeline) -> list[Connect]:
    """Return all attempts to connect TCP sockets, in the order of time.

    A connect by which a program only asks how an earlier one went out is part of that one.
    """
    errors = [s for s in timeline.recording.segments if s.protocol == "icmp"]
    found = [one for c in timeline.connections for one in _of_connection(c, errors)]
    counted = {id(call) for c in timeline.connections for call in c.client.calls}
    stream = {s.id for s in timeline.sockets if "STREAM" in s.type and "INET" in s.family}
    for call in timeline.calls:
        if call.name == "connect" and call.socket in stream and id(call) not in counted:
            found.append(_alone(call))
    return sorted(found, key=lambda one: one.start)


def _of_connection(connection: Connection, errors: list[Segment]) -> Iterator[Connect]:
    if connection.protocol != "tcp":
        return
    calls = connection.client.calls
    call = next((c for c in calls if c.name == "connect"), None)
    if call is None:
        return
    errno, known, end = call.errno, call.end is not None, call.end
    if call.errno in BEGUN:
        errno, known, end = completion(call, connection)
    yield Connect(
        call.host,
        call.pid,
        connection.server.endpoint or endpoint(call),
        connection.server.host,
        call.errno,
        errno,
        known,
        call.start,
        end,
        _packets(connection) or _own_error(call, errors),
        connection.id,
    )


def _packets(connection: Connection) -> tuple[tuple[str, int], ...]:
    """Return what crossed the wire until the client knew, or had given up."""
    found: dict[str, int] = {}
    for segment, carried in labelled(connection):
        for word_ in carried:
            name = AGAIN if word_ == "SYN" and segment.retransmission else word_
            found[name] = found.get(name, 0) + 1
        if "ACK" in carried and connection.outcome == "established":
            break
        if "data" in carried or "FIN" in carried:
            break
    return tuple(found.items())


def _own_error(call: Call, errors: list[Segment]) -> tuple[tuple[str, int], ...]:
    """Return the ICMP error that a host's kernel told itself: its SYN waited for ARP in vain."""
    target = endpoint(call)
    for segment in errors:
        own = segment.received or segment.sent
        at_home = own is not None and own.host == call.host
        meanwhile = call.start <= segment.time <= (call.end or 0)
        if at_home and meanwhile and f" {target} " in segment.about:
            return ((words(segment)[0], 1),)
    return ()


def _alone(call: Call) -> Connect:
    return Connect(
        call.host,
        call.pid,
        endpoint(call),
        None,
        call.errno,
        call.errno,
        call.end is not None,
        call.start,
        call.end,
        (),
        None,
    )
