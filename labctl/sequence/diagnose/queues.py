"""Listening sockets, each with the connections that came to its queue (listen(2))."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.ports import Holder, covers


def queues(facts: Facts) -> Iterator[tuple[Holder, list[Connection]]]:
    """Yield each listening socket whose listen was seen with the connections made to it."""
    made: dict[int, tuple[Holder, list[Connection]]] = {}
    to: dict[tuple[str, int], list[Connection]] = defaultdict(list)
    for connection in facts.connections:
        host, target = facts.host_of(connection.server), connection.server.endpoint
        if connection.protocol == "tcp" and target:
            for name in [host] if host else _own_hosts(facts, connection):
                to[name, target.port].append(connection)
    for (name, port), connections in to.items():
        for holder in facts.ports.holders(name, "tcp", port):
            if holder.listen and holder.socket.id not in made:
                own = [c for c in connections if _goes_to(c, holder)]
                made[holder.socket.id] = holder, own
    yield from made.values()


def _own_hosts(facts: Facts, connection: Connection) -> list[str]:
    host = facts.host_of(connection.client)
    return [host] if host else []


def _goes_to(connection: Connection, holder: Holder) -> bool:
    target, socket = connection.server.endpoint, connection.server.socket
    if socket and socket.listener is not None:
        return socket.listener == holder.socket.id
    if target is None or not covers(holder.local, target.address):
        return False
    first = connection.segments[0].time if connection.segments else None
    return first is None or holder.listening_at(first)
