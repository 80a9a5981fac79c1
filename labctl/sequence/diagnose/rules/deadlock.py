"""Threads that wait for each other in a circle, so that none can ever go on."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.diagnose.blocked import Wait
from labctl.sequence.diagnose.diagnosis import Evidence, Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.waits import Waits
from labctl.sequence.diagnose.words import listed, span

_ADVICE = {
    "recv": "Settle who speaks when: one side must send, or say that it has sent all, by shutdown"
    " or close, by a length or by an end mark (a newline), before both wait.",
    "send": "Receive while sending (two threads, poll), or send less than fits into the buffers"
    " before receiving.",
}


def waiting(facts: Facts) -> Iterator[Finding]:
    """Say who waits for whom: each circle of waits once, and each wait for a forgotten close."""
    waits = Waits(facts)
    told: set[tuple[str, int, int]] = set()
    for wait in waits.all:
        if wait.key in told:
            continue
        time = waits.judged_at(wait)
        if not waits.stuck(wait, time):
            yield from _forgotten(facts, waits, wait, time)
            continue
        circle = _closed(waits, wait, time)
        if any(one.key in told for one in circle):
            continue
        told.update(one.key for one in circle)
        yield _finding(facts, circle)


def _forgotten(facts: Facts, waits: Waits, wait: Wait, time: int) -> Iterator[Finding]:
    """A side waits for more or for the end, and the other has gone on without close."""
    if not wait.receives or wait.other.socket is None or waits.comes(wait, time):
        return
    accepting = waits.all_accept(wait, time)
    if not accepting:
        return
    call, server = wait.call, facts.host_of(wait.other)
    yield Finding(
        rule="waits-for-close",
        level="warning",
        host=server,
        time=call.start,
        key=(server, accepting[0].pid, facts.host_of(wait.own)),
        sentence=f"{facts.name(wait.own)} waits in recv {facts.at(call.start)} for more, or for"
        f" the end, of what {facts.name(wait.other)} sends; but all of it has come, and"
        f" {facts.who(accepting[0].host, accepting[0].pid)} there is in accept again and has not"
        f" closed the connection",
        advice="Close the connection after the last byte of the answer, in every process that"
        " has its descriptor: only then is a FIN sent, and the other's recv returns 0.",
        events=(call, *accepting),
        connections=(wait.connection.id,),
    )


def _closed(waits: Waits, wait: Wait, time: int) -> list[Wait]:
    """Follow who waits for whom until somebody comes again; return from there on."""
    path: list[Wait] = []
    places: dict[tuple[str, int, int], int] = {}
    one = wait
    while one.key not in places:
        places[one.key] = len(path)
        path.append(one)
        one = min(waits.helpers(one, time), key=lambda w: w.call.start)
    return path[places[one.key] :]


def _finding(facts: Facts, circle: list[Wait]) -> Finding:
    until = min(facts.until(one.call) for one in circle)
    since = max(one.call.start for one in circle)
    names = [facts.host_of(one.own) or "?" for one in circle]
    parts = [_part(facts, one) for one in circle]
    kinds = {"recv" if one.receives else "send" for one in circle}
    events: list[Evidence] = [one.call for one in circle]
    lasted = f"for {span(until - since)}" if until < facts.end else "until the recording ended"
    return Finding(
        rule="deadlock",
        level="error",
        host=names[0],
        time=since,
        key=(tuple(sorted(names)), tuple(sorted(kinds))),
        sentence=f"{listed(parts)}: {facts.at(since)} all of them were blocked, {lasted}, and"
        f" nothing was on its way that could have let one go on",
        advice=_ADVICE["recv" if "recv" in kinds else "send"],
        events=tuple(events),
        connections=tuple(sorted({one.connection.id for one in circle})),
        thing="time" if len(circle) > 2 else "connection",
    )


def _part(facts: Facts, wait: Wait) -> str:
    call, own = wait.call, facts.host_of(wait.own)
    blocked = "waits in recv for" if wait.receives else "is blocked in send until there is room at"
    return (
        f"{own} (process {call.pid}, descriptor {_descriptor(wait)}) {blocked}"
        f" {facts.name(wait.other)}"
    )


def _descriptor(wait: Wait) -> str:
    if wait.call.fd is not None:
        return str(wait.call.fd)
    named = wait.call.args.get("descriptors")
    return next(iter(named), "?") if isinstance(named, dict) else "?"
