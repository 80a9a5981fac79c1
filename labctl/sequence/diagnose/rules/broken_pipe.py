"""Sends on a connection that is no more: EPIPE, ECONNRESET and SIGPIPE (send(2), signal(7))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose.diagnosis import Evidence, Finding
from labctl.sequence.diagnose.endings import ending
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.flow import flow
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.verbs import verb

_LINGERS = 100_000_000
"""Nanoseconds within which SIGPIPE ends the process after the send that it was raised by."""


def broken_pipe(facts: Facts) -> Iterator[Finding]:
    """Say of sends that failed with EPIPE or ECONNRESET who had closed, and what became of it."""
    for connection in facts.connections:
        if connection.protocol != "tcp" or connection.outcome != "established":
            continue
        for side, other in (connection.sides, connection.sides[::-1]):
            for call in facts.calls_on(side):
                if verb(call.name) == "send" and _broken(facts, call):
                    yield _finding(facts, connection, side, other, call)
                    break


def _broken(facts: Facts, call: Call) -> bool:
    return call.errno in ("EPIPE", "ECONNRESET") or _killed(facts, call) is not None


def _killed(facts: Facts, call: Call) -> ProcessEvent | None:
    """Return how SIGPIPE ended the thread that made a call, where it did so then."""
    exited = facts.ends.get((call.host, call.tid))
    if exited is None or exited.signal != "SIGPIPE" or call.errno not in (None, "EPIPE"):
        return None
    if call.errno is None and call.end is not None:
        return None
    return exited if 0 <= exited.time - call.start <= _LINGERS else None


def _finding(facts: Facts, connection: Connection, side: Side, other: Side, call: Call) -> Finding:
    killed = _killed(facts, call)
    calls = facts.calls_on(side)
    shut = next((c for c in calls if _ends_sending(c) and c.start < call.start), None)
    who, peer = facts.who(call.host, call.pid), facts.name(other)
    evidence: list[Evidence] = [call, *([killed] if killed else [])]
    if shut and call.errno == "EPIPE":
        why = f"it had itself called shutdown {facts.at(shut.start)}"
        evidence.append(shut)
        advice = "Send everything before shutdown(SHUT_WR)."
    else:
        why, cause = _peers_part(facts, connection, side, other, peer)
        evidence += [cause] if cause else []
        advice = (
            "Expect it: the other may close at any time. Treat EPIPE and ECONNRESET as the end of"
            " this connection only, and ignore SIGPIPE (or send with MSG_NOSIGNAL)."
        )
    became = "SIGPIPE, which killed the process" if killed else f"{call.errno}"
    return Finding(
        rule="broken-pipe",
        level="error" if killed else "warning",
        host=call.host,
        time=call.start,
        key=(call.host, facts.host_of(other), call.errno, killed is not None),
        sentence=f"{who} on {call.host} sent on descriptor {call.fd} {facts.at(call.start)}"
        f" although {why}: it got {became}",
        advice=advice,
        events=tuple(evidence),
        connections=(connection.id,),
    )


def _ends_sending(call: Call) -> bool:
    how = call.args.get("how")
    return call.name == "shutdown" and not call.failed and how in ("SHUT_WR", "SHUT_RDWR", None)


def _peers_part(
    facts: Facts, connection: Connection, side: Side, other: Side, peer: str
) -> tuple[str, Evidence | None]:
    arriving = flow(facts, connection, other, side)
    reset = next((s for s in arriving.segments if "RST" in s.flags), None)
    end = ending(facts, other)
    if end:
        did = "closed" if isinstance(end.event, Call) else "ended"
        return f"{peer} had {did} {facts.at(end.begin)}", end.event
    over = arriving.finished()
    if over is not None:
        segment = "RST" if reset else "FIN"
        return f"a {segment} of {peer} had come {facts.at(over)}", reset
    return f"{peer} was no longer there", None
