"""TCP connects that reached nobody: no route, ICMP, or silence (connect(2), icmp(7))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.diagnosis import Finding, Rule
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.words import count, span
from labctl.sequence.events import Call, Segment

_ASKED = 500_000_000
"""A kernel that has no route says so at once; one that asks for the hardware address of a
neighbour waits some seconds for an answer (arp(7)). Nanoseconds."""


def unreached(facts: Facts) -> Iterator[Finding]:
    """Say of every connect that failed without a word of the server's what stood in its way."""
    for connection in facts.connections:
        call = next((c for c in connection.client.calls if c.name == "connect"), None)
        if connection.protocol != "tcp" or call is None:
            continue
        if connection.outcome == "unreachable":
            yield _told(facts, connection, call)
        elif connection.outcome == "unsent" and call.errno in ("EACCES", "EPERM"):
            why = "its own routing table (a route `prohibit`) or its firewall forbids it"
            yield _finding(facts, "unreachable", connection, call, f"no SYN left: {why}", _OWN)
        elif connection.outcome == "unanswered" and not _arrived(connection):
            yield from _silence(facts, connection, call)


_OWN = "`ip route get ADDRESS` on that host tells which route it takes."
_BEYOND = "`ip route` on that router tells where it sends what is for that address."


def _told(facts: Facts, connection: Connection, call: Call) -> Finding:
    said = next((s for s in connection.segments if s.protocol == "icmp"), None)
    if said is not None:
        sender = facts.host_at(said.source.address) or said.source.address
        what = f"{sender} answered its SYN with ICMP {_message(said)}"
        return _finding(facts, "unreachable", connection, call, what, _BEYOND)
    if call.errno == "ENETUNREACH":
        why = "no SYN left: it has no route to that address"
        return _finding(facts, "unreachable", connection, call, why, _OWN)
    if call.end is not None and call.end - call.start < _ASKED:
        why = "no SYN left: its own routing table says that the address is not to be reached"
        return _finding(facts, "unreachable", connection, call, why, _OWN)
    why = (
        f"no SYN left: for {span((call.end or call.start) - call.start)} nobody on its network"
        " answered the question (ARP) for the hardware address of the next hop"
    )
    advice = "Is the host up, and the address right? `ip neighbour` tells who has answered."
    return _finding(facts, "unreachable", connection, call, why, advice)


def _message(said: Segment) -> str:
    words = said.about.split()
    target = next((i for i, word in enumerate(words) if ":" in word), len(words))
    return " ".join(words[:target])


def _arrived(connection: Connection) -> bool:
    """Return whether a host got a SYN, and so has its own reason not to answer."""
    return any("SYN" in s.flags and s.received is not None for s in connection.segments)


def _silence(facts: Facts, connection: Connection, call: Call) -> Iterator[Finding]:
    syns = [s for s in connection.segments if "SYN" in s.flags]
    if not syns:
        return
    last = syns[-1].via[-1].host if syns[-1].via else None
    where = f" ({last} was the last to see one)" if last else ""
    kernel = f"then the kernel of {call.host} gave up"
    until = kernel if call.errno == "ETIMEDOUT" else "the program did not wait for the outcome"
    why = f"{count(len(syns), 'SYN')} left, nothing came back{where}; {until}"
    advice = (
        "Somebody on the way drops packets without a word (a firewall, a route `blackhole`), or"
        " the host is down. Let a client have a timeout of its own: the kernel's is minutes."
    )
    yield _finding(facts, "no-answer", connection, call, why, advice)


def _finding(
    facts: Facts, rule: Rule, connection: Connection, call: Call, why: str, advice: str
) -> Finding:
    target = connection.server.endpoint
    # A program that did not wait (O_NONBLOCK) is told later than by connect.
    failed = f"failed with {call.errno}" if call.errno not in (None, "EINPROGRESS") else "failed"
    took = span(facts.until(call) - call.start)
    after = f" after {took}" if "with" in failed else ""
    return Finding(
        rule=rule,
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, target, rule, call.errno),
        sentence=f"connect of {facts.who(call.host, call.pid)} on {call.host} to {target},"
        f" {facts.at(call.start)}, {failed}{after}: {why}",
        advice=advice,
        events=(call, *(s for s in connection.segments if "SYN" in s.flags or s.about)),
        connections=(connection.id,),
    )
