"""TCP connections as a capture shows them: relative numbers, windows, what is sent again.

Numbers are relative as tshark(1) has them: to the initial sequence number; where the SYN was
not captured, such that the first byte seen is number 1. They do not wrap around.
"""

from __future__ import annotations

from typing import NamedTuple

from labctl.observe.capture import options
from labctl.observe.capture.packet import Packet
from labctl.observe.capture.passages import ahead

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

_LARGEST_SCALE = 14
"""RFC 7323, section 2.3."""


class Numbers(NamedTuple):
    """What a segment has that only its connection tells; `stream` counts connections from 0.

    `mss` is the most that a segment of this direction carries, options included; 0 where the
    handshake does not tell. `sack` has the edges of the blocks one after the other.
    """

    stream: int
    seq: int
    ack: int
    window: int
    retransmission: bool
    mss: int
    sack: list[int]


class _End:
    """What one end of a connection has sent."""

    __slots__ = ("base", "holes", "mss", "next", "scale", "syn")

    def __init__(self) -> None:
        self.base: int | None = None
        self.next = 0
        """The relative number after all that was sent."""
        self.holes: list[tuple[int, int]] = []
        """What was not seen, though more was sent later."""
        self.syn = False
        self.scale: int | None = None
        self.mss = 0

    def relative(self, number: int) -> int:
        """Return a number relative to the first, also after it has wrapped around."""
        if self.base is None:
            return 0
        return self.next + ahead(number, self.base + self.next)

    def again(self, start: int, end: int) -> bool:
        """Note that these were sent; tell whether all of them were before."""
        if start >= self.next:
            if start > self.next:
                self.holes.append((self.next, start))
            self.next = end
            return False
        fresh = end > self.next
        if self.holes:
            left = []
            for low, high in self.holes:
                if start < high and end > low:
                    fresh = True
                    left += [(a, b) for a, b in ((low, start), (end, high)) if a < b]
                else:
                    left.append((low, high))
            self.holes = left
        self.next = max(self.next, end)
        return not fresh


class _Stream:
    __slots__ = ("ends", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.ends: dict[tuple[bytes, int], _End] = {}


class Streams:
    """Takes segments in the order in which they were sent; `where` tells loopbacks apart."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, frozenset[tuple[bytes, int]]], _Stream] = {}
        self._count = 0

    def take(
        self, packet: Packet, start: int = 0, end: int | None = None, where: str = ""
    ) -> Numbers:
        """Return what the connection tells of a segment's bytes from `start` to `end`."""
        length = (packet.length if end is None else end) - start
        source, target = (packet.ip.source, packet.sport), (packet.ip.target, packet.dport)
        key = (where, frozenset((source, target)))
        stream = self._streams.get(key)
        if stream is None or _another(stream.ends[source], packet):
            stream = self._streams[key] = _Stream(self._count)
            stream.ends = {end: _End() for end in (source, target)}
            self._count += 1
        own, other = stream.ends[source], stream.ends[target]
        flags = packet.flags
        _base(own, other, packet)
        if flags & SYN:
            _offered(own, packet)
        seq = own.relative(packet.seq + start)
        last = end is None or end == packet.length
        taken = length + (flags & SYN != 0) + (flags & FIN != 0 and last)
        again = bool(taken) and not flags & RST and own.again(seq, seq + taken)
        return Numbers(
            stream.number,
            seq,
            other.relative(packet.ack) if flags & ACK else 0,
            packet.window << _scale(own, other) if not flags & SYN else packet.window,
            again,
            min(own.mss, other.mss) if own.mss and other.mss else own.mss or other.mss,
            [other.relative(edge) for edge in _sack(packet)],
        )


def _another(own: _End, packet: Packet) -> bool:
    """Tell whether a SYN begins another connection between the same endpoints."""
    return bool(packet.flags & SYN) and own.base is not None and own.base != packet.seq


def _base(own: _End, other: _End, packet: Packet) -> None:
    if own.base is None:
        syn = bool(packet.flags & SYN)
        own.base = packet.seq if syn else (packet.seq - 1) & 0xFFFFFFFF
        own.next = 0 if syn else 1
    if other.base is None and packet.flags & ACK:
        other.base = (packet.ack - 1) & 0xFFFFFFFF
        other.next = 1


def _offered(own: _End, packet: Packet) -> None:
    """Note what a SYN offers (RFC 7323, 2.2; RFC 9293, 3.7.1)."""
    offered = options.decode(packet.options)
    scale, mss = offered.get("window_scale", -1), offered.get("mss", 0)
    assert isinstance(scale, int)
    assert isinstance(mss, int)
    own.syn, own.scale, own.mss = True, None if scale < 0 else min(scale, _LARGEST_SCALE), mss


def _scale(own: _End, other: _End) -> int:
    """Return by how much a window is shifted: by nothing where one end has not offered it."""
    if own.scale is None or (other.syn and other.scale is None):
        return 0
    return own.scale


def _sack(packet: Packet) -> list[int]:
    if len(packet.options) <= 12:  # there is only room for timestamps
        return []
    edges = options.decode(packet.options).get("sack")
    return [edge for edge in edges if isinstance(edge, int)] if isinstance(edges, list) else []
