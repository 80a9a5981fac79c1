"""Where a packet left, where it arrived, and who forwarded it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from labctl.observe.capture.link import Way
from labctl.observe.capture.passages import Passage
from labctl.observe.capture.seen import Seen
from labctl.sequence.events import Sighting


class Roles(NamedTuple):
    """`received` has several where a packet went to all on a wire; none where it was lost."""

    sent: Seen | None
    received: tuple[Seen, ...]
    via: tuple[Seen, ...]


class Addresses:
    """Which addresses are the routers' own: those from which they have sent by themselves."""

    def __init__(self, passages: Iterable[Passage], routers: Collection[str]) -> None:
        self._routers = frozenset(routers)
        others: set[bytes] = set()
        own: Mapping[str, set[bytes]] = {router: set() for router in self._routers}
        for passage in passages:
            first = passage.first
            if first.place[2] is Way.OUT:
                own.get(first.place[0], others).add(passage.packet.ip.source)
        self._own = {router: addresses - others for router, addresses in own.items()}

    def arrived(self, seen: Seen) -> bool:
        """Tell whether a packet that came to a host was for that host."""
        host = seen.place[0]
        return host not in self._routers or seen.packet.ip.target in self._own[host]


def roles(seen: Sequence[Seen], addresses: Addresses) -> Roles:
    """Tell who of those that saw a packet did what; `seen` is in the order of time."""
    first = seen[0]
    if first.loopback:
        return Roles(first, (seen[-1],), ())
    sent = None if first.place[2] is Way.IN else first
    rest = seen[1:] if sent else seen
    if not rest:
        return Roles(sent, (), ())
    # A packet that a host has sent on was not for that host, whether it is a router or not.
    forwarders = {one.place[0] for one in rest if one.place[2] is Way.OUT}
    received = tuple(
        one
        for one in rest
        if one.place[2] is not Way.OUT
        and one.whole
        and one.place[0] not in forwarders
        and addresses.arrived(one)
    )
    if received and received[0].place[2] is Way.UNKNOWN:
        received = received[-1:]
    via = tuple(one for one in rest if one not in received)
    return Roles(sent, received, via)


def sightings(seen: Iterable[Seen]) -> tuple[Sighting, ...]:
    return tuple(one.sighting for one in seen)
