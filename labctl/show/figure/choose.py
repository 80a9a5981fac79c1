"""Chooses the connections of a figure: all where they are few, else one of each kind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from labctl.errors import UsageError
from labctl.lab.near import did_you_mean
from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Segment
from labctl.sequence.timeline import Timeline
from labctl.sequence.verbs import UNCOUNTED, verb
from labctl.show.figure.model import Group, Options

FEW = 6
"""So many connections are all drawn; of more, so many kinds."""

_PASSING = frozenset({"EAGAIN", "EINTR", "EINPROGRESS"})
"""Errnos of a program that does nothing wrong."""


def choose(timeline: Timeline, options: Options) -> tuple[tuple[Connection, ...], list[Group]]:
    """Return the connections to draw, and those that are not, by whom they are like.

    Raises UsageError where `options` names a connection or a host that is not there.
    """
    _check_hosts(timeline, options.hosts)
    every = timeline.connections
    if options.connections is not None:
        wanted = set(options.connections)
        _check_connections(every, wanted)
        return tuple(c for c in every if c.id in wanted), []
    on_hosts = [c for c in every if options.hosts is None or _touches(c, options.hosts)]
    if options.unfold or len(on_hosts) <= FEW:
        return tuple(on_hosts), []
    return _one_of_each(on_hosts)


def _one_of_each(every: Sequence[Connection]) -> tuple[tuple[Connection, ...], list[Group]]:
    kinds: dict[Hashable, list[Connection]] = {}
    for connection in every:
        kinds.setdefault(_kind(connection), []).append(connection)
    shown, rest = list(kinds.values())[:FEW], list(kinds.values())[FEW:]
    drawn = [some[0] for some in shown]
    groups = [Group(some[0].id, _ids(some[1:])) for some in shown if len(some) > 1]
    if rest:
        groups.append(Group(None, tuple(number for some in rest for number in _ids(some))))
    return tuple(c for c in every if any(c is one for one in drawn)), groups


def _ids(connections: Sequence[Connection]) -> tuple[int, ...]:
    return tuple(connection.id for connection in connections)


def _kind(connection: Connection) -> Hashable:
    """Return what two connections have in common that need not both be drawn."""
    port = connection.server.endpoint.port if connection.server.endpoint else None
    return (
        connection.protocol,
        connection.outcome,
        port,
        *(_steps(side) for side in connection.sides),
        _course(connection.segments),
    )


def _steps(side: Side) -> Hashable:
    verbs = dict.fromkeys(v for call in side.calls if (v := verb(call.name)) not in UNCOUNTED)
    errnos = {call.errno for call in side.calls if call.errno not in _PASSING}
    return side.host, tuple(verbs), frozenset(errnos)


def _course(segments: Sequence[Segment]) -> Hashable:
    """Return whether there were resets, and whether something was sent again."""
    return any("RST" in s.flags for s in segments), any(s.retransmission for s in segments)


def _touches(connection: Connection, hosts: Sequence[str]) -> bool:
    return any(side.host in hosts for side in connection.sides)


def _check_hosts(timeline: Timeline, hosts: Sequence[str] | None) -> None:
    known = [host.name for host in timeline.recording.hosts]
    for name in hosts or ():
        if name not in known:
            raise UsageError(f"no host {name!r} was observed", did_you_mean(name, known, "hosts"))


def _check_connections(every: Sequence[Connection], wanted: set[int]) -> None:
    known = {connection.id for connection in every}
    if unknown := sorted(wanted - known):
        ids = f"they are numbered {min(known)} to {max(known)}" if known else "there is none"
        raise UsageError(f"no connection {unknown[0]} in this recording", ids)
