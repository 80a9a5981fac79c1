"""Which connections a pattern is about, and which end of one is a host's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labctl.sequence.connection import Connection, Side
from labctl.sequence.pattern.model import Elements, Pattern
from labctl.sequence.pattern.syntax import atoms
from labctl.sequence.verbs import verb

_PASSIVE = frozenset({"listen", "accept"})


def selected(pattern: Pattern, connections: Iterable[Connection]) -> list[Connection]:
    """Return the connections that must match.

    They are those of the pattern's protocol, to its port, in which its host takes part; where
    it names several hosts, those between two of them.
    """
    hosts = pattern.between
    return [
        connection
        for connection in connections
        if pattern.protocol in (None, connection.protocol)
        and pattern.port in (None, _port(connection))
        and _is_between(connection, hosts)
    ]


def _port(connection: Connection) -> int | None:
    return connection.server.endpoint.port if connection.server.endpoint else None


def _is_between(connection: Connection, hosts: frozenset[str]) -> bool:
    ends = (connection.client.host, connection.server.host)
    if len(hosts) < 2:
        return not hosts or not hosts.isdisjoint(ends)
    return ends[0] != ends[1] and hosts.issuperset(end or "" for end in ends)


def side_of(connection: Connection, host: str, elements: Elements) -> Side | None:
    """Return the end of a connection that is a host's.

    Where a host talks to itself, it is the client's for elements with a connect and without
    listen and accept, otherwise the server's.
    """
    if connection.client.host == connection.server.host == host and is_active(elements):
        return connection.client
    return connection.side(host)


def is_active(elements: Elements) -> bool:
    """Return whether elements are those of an active opener."""
    verbs = {verb(atom.name) for node in elements for atom in atoms(node)}
    return "connect" in verbs and not verbs & _PASSIVE


def role_of(connection: Connection, side: Side) -> str:
    """Return `server` or `client`."""
    return "server" if side is connection.server else "client"


def other_ports(pattern: Pattern, connections: Sequence[Connection]) -> list[int]:
    """Return the server ports to which there were connections of the pattern's hosts."""
    ports = {
        _port(connection)
        for connection in connections
        if pattern.protocol in (None, connection.protocol)
        and _is_between(connection, pattern.between)
    }
    return sorted(port for port in ports if port is not None)
