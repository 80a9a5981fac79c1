"""What causes what between two UDP endpoints: a send sends, and what is received has come."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection, Side
from labctl.sequence.datagrams import link, of_call
from labctl.sequence.moment_key import Cause, entry, exit_of, received, sent
from labctl.sequence.streams import arrival


def of_udp(connection: Connection) -> Iterator[Cause]:
    """Yield the causes of one exchange."""
    client, server = connection.sides
    yield from _of_side(connection, client, server)
    yield from _of_side(connection, server, client)


def _of_side(connection: Connection, own: Side, other: Side) -> Iterator[Cause]:
    datagrams = [s for s in connection.segments if s.protocol == "udp"]
    out = [s for s in datagrams if s.source == own.endpoint and s.sent]
    came = sorted((s for s in datagrams if s.target == own.endpoint and s.received), key=arrival)
    operations = [
        operation
        for call in own.calls
        for operation in of_call(call)
        if operation.peer in (None, other.endpoint)
    ]
    link(operations, out, came)
    for operation in operations:
        if operation.segment is None:
            continue
        if operation.sends:
            yield entry(operation.call), sent(operation.segment)
        else:
            yield received(operation.segment), exit_of(operation.call)
