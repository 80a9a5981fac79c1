"""Joins what was seen of each packet on all hosts to one segment."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from labctl.observe.capture import icmp, ip, options
from labctl.observe.capture.offload import rejoined
from labctl.observe.capture.packet import Packet
from labctl.observe.capture.parts import Part, parts
from labctl.observe.capture.passages import passages
from labctl.observe.capture.pcap import Capture
from labctl.observe.capture.roles import Addresses, roles, sightings
from labctl.observe.capture.seen import Sights
from labctl.observe.capture.streams import Numbers, Streams
from labctl.sequence.events import Endpoint, Notice, Segment, Value

_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
_NAMES = tuple(
    tuple(name for bit, name in enumerate(_FLAGS) if flags & 1 << bit) for flags in range(256)
)
_AT_THE_END = frozenset(("FIN", "PSH"))
"""Flags that only the last part of a segment has."""

_USUAL_MSS = 1460
"""Of Ethernet with IPv4: where the handshake was not captured."""

_PASSING = "{} packets were seen on their way only, or in part: neither to leave nor to arrive"


@dataclass(frozen=True)
class Joined:
    """The segments of all hosts, in the order of time; and what was missed of them, and why."""

    segments: tuple[Segment, ...]
    notices: tuple[Notice, ...]


def segments(
    captures: Mapping[str, Capture],
    interfaces: Mapping[str, Mapping[int, str]],
    routers: Collection[str] = (),
) -> Joined:
    """Join the captures of several hosts.

    `interfaces` has the network of each interface of a host, by the interface's index; of
    `routers` packets are expected to go through.
    """
    with _uncollected():
        return _joined_segments(Sights(captures, interfaces), routers)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Put the collector off: it would go through millions of tuples, which have no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _joined_segments(sights: Sights, routers: Collection[str]) -> Joined:
    found = rejoined(passages(sights.seen))
    addresses = Addresses(found, routers)
    apart = [(passage.packet, part) for passage in found for part in parts(passage)]
    apart.sort(key=lambda one: one[1].seen[0].time)
    streams = Streams()
    joined: list[Segment] = []
    passing: Counter[str] = Counter()
    for packet, part in apart:
        made = list(_segments(packet, part, addresses, streams))
        joined += (segment for segment in made if segment.sent or segment.received)
        if made and not (made[0].sent or made[0].received):
            passing[part.seen[0].place[0]] += 1
    told = (Notice(host, _PASSING.format(count)) for host, count in passing.items())
    return Joined(tuple(joined), (*sights.notices, *told))


def _segments(
    packet: Packet, part: Part, addresses: Addresses, streams: Streams
) -> Iterator[Segment]:
    """Yield the segment of a part; where it went to several hosts, one for each."""
    about = icmp.about(packet) if packet.protocol == "icmp" else ""
    if packet.protocol == "icmp" and not about:
        return
    first = part.seen[0]
    numbers = None
    if packet.protocol == "tcp":
        where = first.place[0] if first.loopback else ""
        numbers = streams.take(packet, part.start, part.end, where)
    sent, received, via = roles(part.seen, addresses)
    for goal in received or (None,):
        seen = [one for one in (sent, *via, goal) if one] or part.seen
        yield Segment(
            packet.protocol,
            _endpoint(packet.ip.source, packet.sport),
            _endpoint(packet.ip.target, packet.dport),
            sent.sighting if sent else None,
            goal.sighting if goal else None,
            sightings(via),
            _flags(packet, part),
            numbers.seq if numbers else None,
            numbers.ack if numbers else None,
            part.end - part.start if numbers else packet.length,
            numbers.window if numbers else None,
            _options(packet, numbers) if numbers else {},
            numbers.retransmission if numbers else False,
            _joined(packet, part, numbers.mss) if numbers else 1,
            packet.data[part.start :].decode("latin-1") if not about else "",
            about,
            tuple(sorted({number for one in seen for number in one.frames})),
        )


@lru_cache(maxsize=65536)
def _endpoint(address: bytes, port: int) -> Endpoint:
    return Endpoint(ip.text(address), port)


def _flags(packet: Packet, part: Part) -> tuple[str, ...]:
    if packet.protocol != "tcp":
        return ()
    names = _NAMES[packet.flags]
    if part.end == packet.length:
        return names
    return tuple(name for name in names if name not in _AT_THE_END)


def _options(packet: Packet, numbers: Numbers) -> dict[str, Value]:
    """Return the TCP options; the edges of SACK blocks as pairs of relative numbers."""
    found = options.decode(packet.options)
    if numbers.sack:
        found["sack"] = [
            [start, end] for start, end in zip(numbers.sack[::2], numbers.sack[1::2], strict=True)
        ]
    return found


def _joined(packet: Packet, part: Part, mss: int) -> int:
    """Return of how many segments of the wire one is made: as seen, or as the MSS tells."""
    length = part.end - part.start
    room = (mss or _USUAL_MSS) - len(packet.options)
    if part.joined > 1 or length <= room or room <= 0:
        return part.joined
    return -(-length // room)
