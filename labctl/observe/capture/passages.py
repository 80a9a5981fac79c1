"""Packets on their way: what several hosts, and routers, saw of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from labctl.observe.capture.packet import Packet
from labctl.observe.capture.seen import Place, Seen

_HALF = 1 << 31
_MASK = (1 << 32) - 1


def ahead(seq: int, of: int) -> int:
    """Return how far a sequence number is ahead of another, modulo 2**32 (RFC 9293, 3.4)."""
    return ((seq - of + _HALF) & _MASK) - _HALF


class Passage:
    """One packet on its way, or a part of it: its bytes from `start` to `end`.

    Both count from the packet's first byte. `parts` has who saw which of these bytes, each as
    (start, end, seen): of an offloaded segment that was split or joined on its way, some saw
    many small ones and others one that is larger than it. `whole` is true where all saw it as
    it is.
    """

    __slots__ = ("end", "packet", "parts", "start", "time", "whole")

    def __init__(self, seen: list[Seen]) -> None:
        self.packet: Packet = seen[0].packet
        self.time = seen[0].time
        self.start = 0
        self.end = self.packet.length
        self.parts = [(0, self.end, one) for one in seen]
        self.whole = True

    @property
    def first(self) -> Seen:
        return self.parts[0][2]


def passages(seen: Iterable[Seen]) -> list[Passage]:
    """Join what several places saw of the same packet; `seen` is in the order of time.

    The same packet is one with the same addresses, ports and identification, of TCP the same
    numbers, flags and options, else the same data. Sent again, it is another one.
    """
    groups: dict[tuple[str, bytes], list[Seen]] = defaultdict(list)
    for one in seen:
        # On every host there is another 127.0.0.1.
        groups[one.place[0] if one.loopback else "", one.packet.key].append(one)
    return [passage for group in groups.values() for passage in _told_apart(group)]


def _told_apart(group: list[Seen]) -> Iterator[Passage]:
    """Yield the packets of a group, each of which no place has seen twice."""
    if len(group) == 1 or len({one.place for one in group}) == len(group):
        yield Passage(group)
        return
    places: dict[Place, list[Seen]] = defaultdict(list)
    for one in group:
        places[one.place].append(one)
    ways: list[list[Seen]] = []
    for sights in places.values():  # in the order in which the first packet came to them
        ways += _extended(ways, sights)
    for way in ways:
        yield Passage(way)


def _extended(ways: list[list[Seen]], sights: list[Seen]) -> list[list[Seen]]:
    """Add what a place saw to the ways that came to it; return what came from nowhere.

    No packet overtakes another that is the same. From the last to the first each is given the
    latest that was there before it: so most find one, and of those sent again the nearest.
    """
    unmatched = []
    ways.sort(key=lambda way: way[-1].time)
    at = len(ways)
    for one in reversed(sights):
        while at and ways[at - 1][-1].time > one.time:
            at -= 1
        if at:
            at -= 1
            ways[at].append(one)
        else:
            unmatched.append([one])
    return unmatched
