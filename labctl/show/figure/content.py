"""What of a timeline a figure draws, and what it leaves out: each call and segment is counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from labctl.sequence.connection import Connection
from labctl.sequence.events import Call, Segment
from labctl.sequence.timeline import Timeline
from labctl.sequence.verbs import UNCOUNTED, verb
from labctl.show.figure.choose import choose
from labctl.show.figure.lookups import RESOLVER, is_lookup, lookups
from labctl.show.figure.model import Group, Options

NO_SOCKET = "calls that concern no Internet socket"
HELPERS = "calls that wait, or set up a socket"
AGAIN = "calls that found nothing to do (EAGAIN)"
ELSEWHERE = "calls on other hosts"
OTHERS = "calls of connections that are not drawn"
SEGMENTS = "segments of connections that are not drawn"
LOOKUP_CALLS = f"calls of name look-ups (DNS at {RESOLVER})"
LOOKUP_SEGMENTS = f"segments of name look-ups (DNS at {RESOLVER})"

_OF_SOCKETS = frozenset({"socket", "bind", "listen", "accept", "connect", "shutdown"})
_OF_FILES = frozenset({"send", "recv", "splice", "close"})
_INTERNET = frozenset({"AF_INET", "AF_INET6", ""})
"""Families whose sockets are drawn; of a socket that was there before, it may be unknown."""


@dataclass(slots=True)
class Content:
    """What is drawn: each call and segment with the id of the connection that it belongs to."""

    connections: tuple[Connection, ...]
    calls: list[tuple[Call, int | None]] = field(default_factory=list)
    segments: list[tuple[Segment, int | None]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def content(timeline: Timeline, options: Options) -> Content:
    """Return what is drawn of a timeline. Raises UsageError as `choose` does."""
    drawn, groups = choose(timeline, options)
    made = Content(drawn)
    group_of = {member: number for number, group in enumerate(groups) for member in group.members}
    away = lookups(timeline.connections)
    calls, segments = _add_calls(timeline, options, made, group_of, away), Counter[int]()
    ids = {connection.id for connection in drawn}
    owned: set[int] = set()
    for connection in timeline.connections:
        owned.update(map(id, connection.segments))
        if connection.id in ids:
            made.segments += ((segment, connection.id) for segment in connection.segments)
        elif connection.id in group_of:
            segments[group_of[connection.id]] += len(connection.segments)
        else:
            why = LOOKUP_SEGMENTS if connection.id in away else SEGMENTS
            made.left_out[why] += len(connection.segments)
    for segment in timeline.recording.segments:
        if id(segment) in owned:
            continue
        if is_lookup(segment) and not options.all_calls:
            made.left_out[LOOKUP_SEGMENTS] += 1
        elif options.connections is not None:
            made.left_out[SEGMENTS] += 1
        else:
            made.segments.append((segment, None))
    made.segments.sort(key=lambda pair: pair[0].time)
    made.groups = [
        replace(group, calls=calls[number], segments=segments[number])
        for number, group in enumerate(groups)
    ]
    made.left_out = +made.left_out
    return made


def _add_calls(
    timeline: Timeline,
    options: Options,
    made: Content,
    group_of: dict[int, int],
    away: frozenset[int],
) -> Counter[int]:
    """Add the calls to draw; return how many calls each group has. `away` are look-ups of names."""
    ids = {connection.id for connection in made.connections}
    owners = _owners(timeline.connections)
    families = {socket.id: socket.family for socket in timeline.sockets}
    forks = _forks_that_count(made.connections)
    busy_for = _processes(timeline.connections, ids, group_of)
    grouped: Counter[int] = Counter()
    for call in timeline.calls:
        own = owners.get(id(call), ())
        if not own and (call.host, call.pid) in busy_for:
            grouped[busy_for[call.host, call.pid]] += 1
        elif own and ids.isdisjoint(own):
            if own[0] in group_of:
                grouped[group_of[own[0]]] += 1
            else:
                made.left_out[LOOKUP_CALLS if own[0] in away else OTHERS] += 1
        elif why := _why_not(call, options, families, id(call) in forks):
            made.left_out[why] += 1
        elif not own and options.connections is not None:
            made.left_out[OTHERS] += 1
        else:
            made.calls.append((call, own[0] if len(own) == 1 else None))
    return grouped


def _owners(connections: Iterable[Connection]) -> dict[int, list[int]]:
    """Return the connections of each call (by `id`): of a listening socket's, all."""
    owners: dict[int, list[int]] = defaultdict(list)
    for connection in connections:
        for side in connection.sides:
            for call in side.calls:
                if connection.id not in owners[id(call)][-1:]:
                    owners[id(call)].append(connection.id)
    return owners


def _processes(
    connections: Iterable[Connection], drawn: set[int], group_of: dict[int, int]
) -> dict[tuple[str, int], int]:
    """Return the processes (host, pid) that work for no drawn connection, with their group."""
    groups: dict[tuple[str, int], int] = {}
    busy: set[tuple[str, int]] = set()
    for connection in connections:
        for call in (call for side in connection.sides for call in side.calls):
            if connection.id in drawn:
                busy.add((call.host, call.pid))
            elif connection.id in group_of:
                groups.setdefault((call.host, call.pid), group_of[connection.id])
    return {process: group for process, group in groups.items() if process not in busy}


def _forks_that_count(connections: Iterable[Connection]) -> set[int]:
    sides = (side for connection in connections for side in connection.sides)
    return {id(call) for side in sides for call in side.calls if verb(call.name) == "fork"}


def _why_not(call: Call, options: Options, families: dict[int, str], fork: bool) -> str:
    """Return why a call is not drawn; nothing where it is."""
    if options.hosts is not None and call.host not in options.hosts:
        return ELSEWHERE
    if options.all_calls:
        return ""
    family = families.get(call.socket or 0, "")
    internet = family in _INTERNET and _family_argument(call) in _INTERNET
    kind = verb(call.name)
    concerns = kind in _OF_SOCKETS or (kind in _OF_FILES and call.socket is not None)
    if fork:
        return ""
    if kind in UNCOUNTED and call.socket is not None and internet:
        return HELPERS
    if not concerns or not internet:
        return NO_SOCKET
    return AGAIN if call.errno in ("EAGAIN", "EWOULDBLOCK") else ""


def _family_argument(call: Call) -> str:
    value = call.args.get("family")
    return value if isinstance(value, str) else ""
