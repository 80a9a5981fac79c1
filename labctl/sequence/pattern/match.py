"""Matches a pattern against a timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labctl.sequence.connection import Connection
from labctl.sequence.pattern.before import Before
from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.hosts import judge_host
from labctl.sequence.pattern.missed import Missed
from labctl.sequence.pattern.model import Pattern
from labctl.sequence.pattern.never import judge_never
from labctl.sequence.pattern.parse import parse
from labctl.sequence.pattern.seen import Seen, start
from labctl.sequence.pattern.select import other_ports, selected
from labctl.sequence.pattern.show import count
from labctl.sequence.pattern.strays import Strays
from labctl.sequence.pattern.verdict import Failure, Verdict
from labctl.sequence.pattern.wirecheck import judge_wire
from labctl.sequence.pattern.words import KEYS, near


def match(pattern: Pattern | Mapping[str, Any], seen: Seen) -> Verdict:
    """Return whether what was seen is as the pattern says.

    Raises PatternError where the pattern is wrong or names a host that was not observed.
    """
    wanted = parse(pattern)
    _check_hosts(wanted, seen)
    zero = start(seen)
    meant = selected(wanted, seen.connections) if wanted.about_connections else []
    missed, strays = Missed(seen), Strays(seen)
    connections = [connection for connection in meant if not missed.begin(connection)]
    earlier = len(meant) - len(connections)

    def judged(connections: list[Connection], failing: set[int]) -> list[Failure]:
        failures = _count(wanted, connections, earlier, seen)
        for host, elements in wanted.hosts.items():
            failures += judge_host(
                host, elements, wanted, connections, strays, missed, zero, failing
            )
        if wanted.wire is not None:
            failures += judge_wire(wanted.wire, connections, zero, failing)
        failures += judge_never(wanted, connections, seen, zero, failing)
        if wanted.before:
            failures += Before(wanted, seen, missed, zero).judge(connections, failing)
        return failures

    failing: set[int] = set()
    failures = judged(connections, failing)
    later = [one for one in connections if one.id in failing and _went_on(one, seen)]
    if later and len(later) < len(connections):
        left_out = {one.id for one in later}
        connections = [one for one in connections if one.id not in left_out]
        failing = set()
        failures = judged(connections, failing)
    else:
        later = []
    unseen = missed.of(wanted.between, connections)
    return Verdict(
        tuple(failures),
        len(connections),
        len(failing),
        unseen,
        earlier,
        judged=tuple(connection.id for connection in connections),
        failed=tuple(sorted(failing)),
        later=len(later),
    )


def _went_on(connection: Connection, seen: Seen) -> bool:
    """Tell whether a connection may be as it should only after the end of the recording."""
    ends = frozenset(side.endpoint for side in connection.sides if side.endpoint)
    if connection.segments:
        return ends in seen.recording.went_on
    # Its SYN has not left yet: nothing tells the client's port.
    return any(ends <= pair for pair in seen.recording.went_on)


def _check_hosts(pattern: Pattern, seen: Seen) -> None:
    known = [host.name for host in seen.recording.hosts]
    for mention in pattern.mentions:
        if mention.host not in known:
            hint = near(mention.host, [*known, *KEYS] if mention.at_top else known)
            hint = hint or f"hosts: {', '.join(known) or 'none'}"
            raise PatternError(
                f"no host `{mention.host}` was observed", hint, mention.path, key=mention.key
            )


def _count(
    pattern: Pattern, connections: list[Connection], earlier: int, seen: Seen
) -> list[Failure]:
    """Return what is wrong with the number of connections; `earlier` ones are not judged."""
    number, least, most = len(connections), pattern.least, pattern.most
    if not pattern.about_connections or (number >= least and (most is None or number <= most)):
        return []
    if number:
        wanted = f"{'at least ' if most is None else ''}{count(least, 'connection')}"
        verb = "was" if least == 1 else "were"
        return [Failure("connections", f"{wanted} {verb} wanted, but there were {number:,}.")]
    if earlier:
        said = f"There was no new connection, only {count(earlier, 'connection')} from before."
        return [Failure("connections", said)]
    return [Failure("connections", _none(pattern, seen))]


def _none(pattern: Pattern, seen: Seen) -> str:
    """Return a sentence on why there was no connection at all, as far as it can be told."""
    hosts = sorted(pattern.between)
    whose = f" of {hosts[0]}" if len(hosts) == 1 else f" between {' and '.join(hosts)}"
    port = f" to port {pattern.port}" if pattern.port else ""
    kind = {"tcp": "TCP connection", "udp": "UDP exchange"}.get(
        pattern.protocol or "", "connection"
    )
    said = f"No {kind}{whose if hosts else ''}{port} was seen at all"
    ports = other_ports(pattern, seen.connections)
    if pattern.port and ports:
        listed = ", ".join(map(str, ports[:5]))
        return f"{said}: there were only some to {listed}; is the pattern's port the right one?"
    other = Pattern(pattern.hosts, before=pattern.before, port=pattern.port)
    if pattern.protocol and (found := selected(other, seen.connections)):
        name = "UDP" if found[0].protocol == "udp" else "TCP"
        return (
            f"{said}: there was only {name}; a program that should use the other protocol "
            "made its socket with the wrong type (SOCK_STREAM is TCP, SOCK_DGRAM is UDP)."
        )
    return f"{said}, so there was nothing that could match."
