"""Chooses the connections of a figure: all where they are few, else one of each of a few kinds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from labctl.errors import UsageError
from labctl.lab.near import did_you_mean
from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Segment
from labctl.sequence.timeline import Timeline
from labctl.sequence.verbs import UNCOUNTED, verb
from labctl.show.figure.callwords import BROKEN_OFF
from labctl.show.figure.lookups import lookups
from labctl.show.figure.model import Group, Options

FEW = 6
"""So many connections are all drawn; of more, so many kinds."""

_PASSING = frozenset({"EAGAIN", "EINTR", "EINPROGRESS"}) | BROKEN_OFF
"""Errnos of a program that does nothing wrong."""


def choose(timeline: Timeline, options: Options) -> tuple[tuple[Connection, ...], list[Group]]:
    """Return the connections to draw, and those that are not, by whom they are like.

    Look-ups of names are in neither unless they are asked for.
    Raises UsageError where `options` names a connection or a host that is not there.
    """
    _check_hosts(timeline, options.hosts)
    every = timeline.connections
    if options.connections is not None:
        wanted = set(options.connections)
        _check_connections(every, wanted)
        return tuple(c for c in every if c.id in wanted), []
    away: frozenset[int] = frozenset() if options.all_calls else lookups(every)
    on_hosts = [c for c in every if options.hosts is None or _touches(c, options.hosts)]
    meant = [c for c in on_hosts if c.id not in away]
    if options.unfold or len(meant) <= FEW:
        return tuple(meant), []
    return _one_of_each(meant, {number: rank for rank, number in enumerate(options.prefer)})


def _one_of_each(
    every: Sequence[Connection], rank: Mapping[int, int]
) -> tuple[tuple[Connection, ...], list[Group]]:
    """Return one connection of each of a few kinds: those of the lowest rank, then those with
    the most data. Without a rank the first of a kind stands for it."""
    by_kind: dict[Hashable, list[Connection]] = {}
    for connection in every:
        by_kind.setdefault(_kind(connection), []).append(connection)

    def place(connection: Connection) -> int:
        return rank.get(connection.id, len(rank))

    kinds = [sorted(some, key=place) for some in by_kind.values()]
    kinds.sort(key=lambda some: (place(some[0]), -_data(some[0])))
    shown, rest = kinds[:FEW], kinds[FEW:]
    drawn = {some[0].id for some in shown}
    groups = [Group(some[0].id, _ids(some[1:])) for some in shown if len(some) > 1]
    if rest:
        groups.append(Group(None, _ids([connection for some in rest for connection in some])))
    return tuple(c for c in every if c.id in drawn), groups


def _data(connection: Connection) -> int:
    """Return how many bytes of data a connection carried."""
    return sum(segment.length for segment in connection.segments)


def _ids(connections: Sequence[Connection]) -> tuple[int, ...]:
    return tuple(sorted(connection.id for connection in connections))


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
