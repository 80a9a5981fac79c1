"""TCP segments, grouped by the connection that they are of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labctl.sequence.endpoints import Hosts, loopback
from labctl.sequence.events import Endpoint, Segment
from labctl.sequence.moments import NEAR

Pair = tuple[str, Endpoint, Endpoint]
"""The two endpoints in the order of their text, and the host where both are its own loopback."""


@dataclass(eq=False, slots=True)
class Way:
    """One direction of a flow. Times are those at which its segments were sent."""

    host: str | None = None
    bytes: int = 0
    """How many bytes of data were sent, each counted once."""
    first_data: int | None = None
    fin: Segment | None = None
    rst: Segment | None = None


@dataclass(eq=False, slots=True)
class Flow:
    """What crossed the wire of one connection, from its first SYN on."""

    client: Endpoint
    server: Endpoint
    segments: list[Segment] = field(default_factory=list)
    forth: Way = field(default_factory=Way)
    back: Way = field(default_factory=Way)
    syn: Segment | None = None
    crossing: Segment | None = None
    """The server's own SYN, where both ends open at once (RFC 9293, 3.5)."""
    syn_ack: Segment | None = None
    ack: Segment | None = None
    """The client's first segment after its SYN: with it the server has the connection."""
    unreachable: Segment | None = None

    @property
    def begin(self) -> int:
        return self.segments[0].time

    @property
    def ready(self) -> int | None:
        """When the server could accept it."""
        if self.ack is None or self.syn_ack is None:
            return None
        return (self.ack.received or self.ack.sent or self.syn_ack.sent or (0, 0, 0))[2]

    @property
    def refused(self) -> Segment | None:
        """The RST that answered the SYN."""
        return self.back.rst if self.syn and not self.syn_ack and not self.ack else None

    def way(self, source: Endpoint) -> Way:
        return self.forth if source == self.client else self.back

    def add(self, segment: Segment) -> None:
        self.segments.append(segment)
        way = self.way(segment.source)
        other = self.back if way is self.forth else self.forth
        way.host = way.host or (segment.sent.host if segment.sent else None)
        other.host = other.host or (segment.received.host if segment.received else None)
        flags = segment.flags
        if "SYN" in flags:
            if "ACK" in flags:
                self.syn_ack = self.syn_ack or segment
            elif way is self.forth:
                self.syn = self.syn or segment
            else:
                self.crossing = self.crossing or segment
        elif way is self.forth and "RST" not in flags:
            self.ack = self.ack or segment
        if segment.length:
            way.first_data = segment.time if way.first_data is None else way.first_data
            start = 0 if segment.seq is None else max(segment.seq, 1) - 1
            way.bytes = max(way.bytes, start + segment.length)
        if "FIN" in flags:
            way.fin = way.fin or segment
        if "RST" in flags:
            way.rst = way.rst or segment


def pair(segment: Segment) -> Pair:
    """Return what is the same for all segments between the same two endpoints."""
    one, two = sorted((segment.source, segment.target))
    seen = segment.sent or segment.received
    return (seen.host if seen and loopback(one.address) else "", one, two)


def flows(segments: Iterable[Segment], hosts: Hosts) -> list[Flow]:
    """Return the flows of TCP in the order of their beginnings."""
    current: dict[Pair, Flow] = {}
    found: list[Flow] = []
    for segment in segments:
        if segment.protocol != "tcp":
            continue
        key = pair(segment)
        flow = current.get(key)
        if flow is None or _begins_anew(flow, segment):
            flow = current[key] = _new(segment)
            found.append(flow)
        flow.add(segment)
    for flow in found:
        flow.forth.host = flow.forth.host or hosts.of(flow.client.address)
        flow.back.host = flow.back.host or hosts.of(flow.server.address)
    return found


def _begins_anew(flow: Flow, segment: Segment) -> bool:
    """Tell whether a SYN is that of another connection, between the same endpoints.

    It is not where it is sent again, where both ends open at once (RFC 9293, 3.5), or where
    its answer seems to have been sent a little before it.
    """
    if "SYN" not in segment.flags or "ACK" in segment.flags or segment.retransmission:
        return False
    if flow.syn is None:
        return flow.syn_ack is None or segment.time > flow.syn_ack.time + NEAR
    return segment.source != flow.server or len(flow.segments) > 1


def _new(segment: Segment) -> Flow:
    """Begin a flow. Without a SYN, the smaller port is taken for the server's."""
    flags = segment.flags
    if "SYN" in flags:
        from_client = "ACK" not in flags
    else:
        from_client = segment.source.port > segment.target.port
    source, target = segment.source, segment.target
    return Flow(source, target) if from_client else Flow(target, source)
