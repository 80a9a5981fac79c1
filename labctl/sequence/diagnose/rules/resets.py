"""RSTs that end an established connection (RFC 9293, 3.6.1; RFC 2525, 2.17)."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.args import lingers_not
from labctl.sequence.diagnose.diagnosis import Evidence, Finding, Rule
from labctl.sequence.diagnose.endings import Ending, ending
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.flow import Flow, flows
from labctl.sequence.diagnose.words import count
from labctl.sequence.events import Call, Segment


def resets(facts: Facts) -> Iterator[Finding]:
    """Say of each end that sent a RST why its kernel did so, where that is certain."""
    for connection, arriving, leaving in flows(facts):
        reset = next((s for s in leaving.segments if "RST" in s.flags), None)
        if reset is None or reset.sent is None:
            continue
        end = ending(facts, arriving.target)
        if end is None or reset.sent.time < end.begin:
            continue
        found = _lingering(facts, arriving) or _unread(facts, arriving, leaving, end, reset)
        if found:
            yield _finding(facts, connection, arriving, reset, end, *found)


def _lingering(facts: Facts, arriving: Flow) -> tuple[Rule, str, str] | None:
    if not any(lingers_not(call) for call in facts.calls_on(arriving.target)):
        return None
    return (
        "rst-linger",
        "with SO_LINGER set to 0 s, which throws the connection away with a RST instead of"
        " closing it with a FIN",
        "Leave SO_LINGER out unless the connection is to be aborted.",
    )


def _unread(
    facts: Facts, arriving: Flow, leaving: Flow, end: Ending, reset: Segment
) -> tuple[Rule, str, str] | None:
    """Return rule, what happened and advice; the FIN tells on which side of the close data came."""
    assert reset.sent is not None
    read = arriving.taken()
    fin = next((s for s in leaving.segments if "FIN" in s.flags and s.time < reset.time), None)
    before = arriving.arrived(end.begin if fin else reset.sent.time)
    if before > read:
        return (
            "rst-unread",
            f"while {before - read:,} of the {count(before, 'byte')} that had arrived were"
            f" unread: so its kernel sent a RST, and {facts.name(arriving.source)} may lose data"
            f" that it has not received yet",
            "Receive until recv returns 0 (or to the end of the message) before close.",
        )
    total = arriving.arrived(reset.sent.time)
    if total > read:
        return (
            "rst-after-close",
            f"and then {count(total - read, 'byte')} more came from"
            f" {facts.name(arriving.source)}: nobody was there to receive them, so its kernel"
            f" answered with a RST",
            "Agree who closes when: close after the other's last byte, or let the other stop"
            " sending when recv returns 0.",
        )
    return None


def _finding(
    facts: Facts,
    connection: Connection,
    arriving: Flow,
    reset: Segment,
    end: Ending,
    rule: Rule,
    what: str,
    advice: str,
) -> Finding:
    side = arriving.target
    host = facts.host_of(side)
    call = end.event
    descriptor = f" (descriptor {call.fd})" if isinstance(call, Call) else ""
    events: list[Evidence] = [*([call] if call else []), *arriving.read[-1:], reset]
    return Finding(
        rule=rule,
        level="warning",
        host=host,
        time=reset.time,
        key=(host, facts.host_of(arriving.source), side is connection.server),
        sentence=f"{facts.name(side)} {end.words}{descriptor} {facts.at(end.begin)} {what}",
        advice=advice,
        events=tuple(events),
        connections=(connection.id,),
    )
