"""Segments that offloading (TSO, GSO, GRO) has split, or joined, on their way.

The kernel of a sender hands one segment of up to 64 KiB to its interface; it is split where
an interface cannot take it, and what belongs together is joined where it arrives. All parts
have the acknowledgment number and the options of the whole, and their own sequence numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable

from labctl.observe.capture.passages import Passage, ahead
from labctl.observe.capture.seen import Place


def rejoined(found: Iterable[Passage]) -> list[Passage]:
    """Give the parts of segments to the segments that they are of; return the segments.

    What a place saw belongs to the latest segment with the same bytes that was seen before,
    and not yet at this place.
    """
    done: list[Passage] = []
    groups: dict[tuple[bytes, bytes, int, bytes], list[Passage]] = defaultdict(list)
    for passage in found:
        packet = passage.packet
        if packet.protocol == "tcp" and packet.length:
            ports = packet.key[len(packet.ip.key) : len(packet.ip.key) + 4]
            # Of the IP header's key, only the addresses: each part has its own identification.
            ends = packet.ip.source + packet.ip.target
            groups[ends, ports, packet.ack, packet.options].append(passage)
        else:
            done.append(passage)
    for group in groups.values():
        if len(group) > 1 and len({passage.first.place for passage in group}) > 1:
            group.sort(key=lambda passage: passage.time)
            done += _Group(group).rejoined()
        else:
            done += group
    return done


class _Group:
    """Passages of one direction of a connection that may be parts of each other."""

    def __init__(self, passages: list[Passage]) -> None:
        base = passages[0].packet.seq
        self._passages = passages
        self._begin = [ahead(passage.packet.seq, base) for passage in passages]
        self._longest = max(passage.end for passage in passages)
        in_order = sorted(range(len(passages)), key=lambda n: self._begin[n])
        self._order = in_order
        self._begins = [self._begin[n] for n in in_order]

    def rejoined(self) -> list[Passage]:
        """Return what is part of nothing; the latest finds its place first."""
        done = []
        for number in range(len(self._passages) - 1, -1, -1):
            done += self._given_away(number)
        return done

    def _given_away(self, number: int) -> list[Passage]:
        """Give a passage's bytes to earlier ones; return what is left of it, in pieces."""
        own, begin = self._passages[number], self._begin[number]
        left = [(0, own.end)]
        places = {seen.place for _, _, seen in own.parts}
        for other in self._before(number, begin, begin + own.end):
            offset = self._begin[other] - begin
            left = [
                rest
                for piece in left
                for rest in _give(own, piece, self._passages[other], offset, places)
            ]
            if not left:
                return []
        return [own] if left == [(0, own.end)] else [_clipped(own, *piece) for piece in left]

    def _before(self, number: int, begin: int, end: int) -> list[int]:
        """Return the earlier passages that have some of these bytes, the latest first."""
        low = bisect_right(self._begins, begin - self._longest)
        high = bisect_left(self._begins, end)
        near = (n for n in self._order[low:high] if n < number)
        return sorted((n for n in near if self._end(n) > begin), reverse=True)

    def _end(self, number: int) -> int:
        return self._begin[number] + self._passages[number].end


def _give(
    own: Passage, piece: tuple[int, int], other: Passage, offset: int, places: set[Place]
) -> list[tuple[int, int]]:
    """Give a piece's bytes to another passage that begins `offset` later; return the rest."""
    start, end = max(piece[0], offset), min(piece[1], offset + other.end)
    if start >= end:
        return [piece]
    if any(s < end - offset and e > start - offset and seen.place in places
           for s, e, seen in other.parts):  # fmt: skip
        return [piece]
    other.whole = False
    other.parts += [
        (max(s, start) - offset, min(e, end) - offset, seen)
        for s, e, seen in own.parts
        if s < end and e > start
    ]
    rests = ((piece[0], start), (end, piece[1]))
    return [rest for rest in rests if rest[0] < rest[1]]


def _clipped(passage: Passage, start: int, end: int) -> Passage:
    """Return a part of a passage; what is at its edges is cut off."""
    part = Passage([seen for _, _, seen in passage.parts[:1]])
    part.start, part.end, part.whole = start, end, False
    part.parts = [
        (max(s, start), min(e, end), seen) for s, e, seen in passage.parts if s < end and e > start
    ]
    return part
