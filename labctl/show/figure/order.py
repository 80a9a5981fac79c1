"""The order of the columns, from the left: servers, then those that are both, then clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labctl.sequence.connection import Connection
from labctl.sequence.recording import Recording


def columns(
    present: Iterable[str],
    recording: Recording,
    connections: Sequence[Connection],
    wanted: Sequence[str] | None,
) -> list[str]:
    """Return the names in `present` in the order of their columns.

    Figure 6-30 has the server on the left. Hosts that were asked for by name come in that order;
    what is outside of the lab comes last.
    """
    known = [host.name for host in recording.hosts]
    asked = list(wanted or ())
    servers, clients = _roles(connections)

    def place(name: str) -> tuple[int, int, float, int]:
        listed = asked.index(name) if name in asked else len(asked)
        inside = known.index(name) if name in known else len(known)
        total = servers.get(name, 0) + clients.get(name, 0)
        share = clients.get(name, 0) / total if total else 0.5
        return (name not in known, listed, share, inside)

    return sorted(dict.fromkeys(present), key=place)


def _roles(connections: Sequence[Connection]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how often each host was the passive and the active side."""
    servers: dict[str, int] = {}
    clients: dict[str, int] = {}
    for connection in connections:
        for host, roles in ((connection.server.host, servers), (connection.client.host, clients)):
            if host is not None:
                roles[host] = roles.get(host, 0) + 1
    return servers, clients
