"""Look-ups of names: what a figure of a lab's own programs leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from labctl.sequence.connection import Connection
from labctl.sequence.events import Endpoint, Segment

RESOLVER = "127.0.0.11"
"""Where each container finds the engine's name server (docs.docker.com, "Networking").

The container's NAT table turns its port 53 into a port that the engine listens on, so that one
look-up is seen as several exchanges: to that port, and back from port 53.
"""


def lookups(connections: Iterable[Connection]) -> frozenset[int]:
    """Return the ids of the connections that only look up names."""
    every = tuple(connections)
    found = {c.id for c in every if any(e.address == RESOLVER for e in _endpoints(c))}
    ports = {place for c in every if c.id in found for place in _places(c)}
    inside = (c for c in every if c.protocol == "udp" and all(map(_loopback, _endpoints(c))))
    return frozenset(found.union(c.id for c in inside if not ports.isdisjoint(_places(c))))


def is_lookup(segment: Segment) -> bool:
    """Return whether a segment that is of no connection goes to the name server or comes back."""
    return RESOLVER in (segment.source.address, segment.target.address)


def _endpoints(connection: Connection) -> list[Endpoint]:
    return [side.endpoint for side in connection.sides if side.endpoint is not None]


def _places(connection: Connection) -> Iterator[tuple[str | None, int]]:
    """Yield the ports of a connection, with the host whose loopback interface it is on."""
    host = connection.client.host or connection.server.host
    for endpoint in _endpoints(connection):
        # Port 53 of the host itself may be a name server of the lab.
        if endpoint.address != RESOLVER or endpoint.port != 53:
            yield host, endpoint.port


def _loopback(endpoint: Endpoint) -> bool:
    try:
        return ip_address(endpoint.address).is_loopback
    except ValueError:
        return False
