"""Each packet as one host saw it, decoded; fragments put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from labctl.observe.capture.frames import Frame, frames, network
from labctl.observe.capture.link import LINK_TYPES, Way
from labctl.observe.capture.packet import Packet, decode
from labctl.observe.capture.pcap import Capture
from labctl.sequence.events import Notice, Sighting

Place = tuple[str, int, Way]
"""The host, the index of its interface, and which way the packet went there."""


class Seen(NamedTuple):
    """A packet at one place; `whole` is False where a fragment of it was not seen there."""

    time: int
    place: Place
    network: str
    loopback: bool
    packet: Packet
    frames: tuple[int, ...]
    whole: bool = True

    @property
    def sighting(self) -> Sighting:
        return Sighting(self.place[0], self.network, self.time)


class Sights:
    """What was seen of TCP, UDP and ICMP in all captures, in the order of time."""

    def __init__(
        self, captures: Mapping[str, Capture], interfaces: Mapping[str, Mapping[int, str]]
    ) -> None:
        self._interfaces = interfaces
        self._unreadable: Counter[str] = Counter()
        self._fragments: list[Seen] = []
        self.seen = list(self._decoded(frames(captures)))
        self.seen += _whole(self._fragments)
        self.seen.sort(key=lambda seen: seen.time)
        self.notices = tuple(self._notices(captures))

    def _decoded(self, found: Iterable[Frame]) -> Iterator[Seen]:
        for number, host, record, link in found:
            if link is None or link.way is Way.OTHER:
                continue
            packet = decode(record.data, link.at, record.length)
            if packet is None:
                self._unreadable[host] += 1
                continue
            if not packet.protocol and not packet.ip.offset:
                continue
            place = (host, link.interface, link.way)
            name = network(self._interfaces.get(host, {}), link)
            seen = Seen(record.time, place, name, link.loopback, packet, (number,))
            if packet.ip.fragment:
                self._fragments.append(seen)
            else:
                yield seen

    def _notices(self, captures: Mapping[str, Capture]) -> Iterator[Notice]:
        for host, capture in captures.items():
            yield from capture.notices(host)
            if capture.records and capture.link_type not in LINK_TYPES:
                text = f"its packets have an unknown link type, {capture.link_type}"
                yield Notice(host, text, missing=("packets",))
            count = self._unreadable[host]
            if count:
                text = f"{count} of its packets were cut too short, or are damaged"
                yield Notice(host, text, missing=("packets",))


def _whole(fragments: Iterable[Seen]) -> Iterator[Seen]:
    """Put the fragments together that were seen at one place (RFC 791, 3.2; RFC 8200, 4.5).

    Without its first fragment nobody can tell whose a datagram is: it is left out.
    """
    datagrams: dict[tuple[Place, bytes, int], list[Seen]] = defaultdict(list)
    for seen in fragments:
        header = seen.packet.ip
        key = (seen.place, header.key, header.protocol)
        begun = datagrams[key]
        if any(other.packet.ip.offset == header.offset for other in begun):
            yield from _joined(begun)  # the identification is used again
            begun.clear()
        begun.append(seen)
    for begun in datagrams.values():
        yield from _joined(begun)


def _joined(fragments: list[Seen]) -> Iterator[Seen]:
    in_order = sorted(fragments, key=lambda seen: seen.packet.ip.offset)
    first, last = in_order[0], in_order[-1]
    if not first.packet.protocol:
        return
    reached = 0
    for seen in in_order:
        if seen.packet.ip.offset > reached:
            break
        reached = max(reached, seen.packet.ip.offset + seen.packet.ip.length)
    else:
        reached = -1
    packet = first.packet
    if packet.protocol == "tcp":
        rest = sum(seen.packet.ip.length for seen in in_order[1:])
        packet = packet._replace(length=packet.length + rest)
    arrived = max if first.place[2] is Way.IN else min
    yield first._replace(
        time=arrived(seen.time for seen in fragments),
        packet=packet,
        frames=tuple(number for seen in fragments for number in seen.frames),
        whole=reached < 0 and not last.packet.ip.more,
    )
