"""Descriptors of connections that are over and that a process goes on without closing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts, begin, following
from labctl.sequence.diagnose.flow import flow
from labctl.sequence.diagnose.names import Thread
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_CLOSERS = frozenset({"close", "exec"})
_MOVES = frozenset({"send", "recv", "splice", "shutdown"})
_POLLS = frozenset({"poll", "epoll"})
_PARENTS_PART = frozenset(
    {
        *("accept", "fork", "fcntl", "poll", "epoll"),
        *("setsockopt", "getsockopt", "getsockname", "getpeername"),
    }
)

_ADVICE = (
    "Call close on the connection's descriptor when it is over, on every way out of the function"
    " that serves it (Python: with; C: one exit). A process has no more than some 1,024"
    " descriptors."
)


def descriptor_leak(facts: Facts) -> Iterator[Finding]:
    """Say of processes that go on to other connections and never close those that are over."""
    for connection in facts.connections:
        if connection.protocol != "tcp" or connection.outcome != "established":
            continue
        for side, other in (connection.sides, connection.sides[::-1]):
            if side.socket and side.host:
                yield from _of_server_by_forks(facts, connection, side)
                yield from _of_one(facts, connection, side, other)


def _of_one(facts: Facts, connection: Connection, side: Side, other: Side) -> Iterator[Finding]:
    calls = [call for call in facts.calls_on(side) if verb(call.name) not in _POLLS]
    moves = [call for call in calls if verb(call.name) in _MOVES]
    if not moves or any(verb(call.name) in _CLOSERS for call in calls):
        return
    last = moves[-1]
    over = flow(facts, connection, other, side).finished()
    if last is not calls[-1] or last.end is None or over is None:
        return
    after = _went_on(facts, last, over)
    if after is None or facts.until(after) < over or _closed_otherwise(facts, side, last):
        return
    forgotten = f"was over {facts.at(over)}, and went on to {after.name} {facts.at(after.start)}"
    if after.start < over:
        forgotten = (
            f"was over {facts.at(over)}, while it waited in the {after.name} that it had called"
            f" {facts.at(after.start)}"
        )
    yield _leak(
        connection,
        last,
        over,
        f"{facts.who(last.host, last.pid)} on {last.host} never closed descriptor {last.fd}, its"
        f" connection with {facts.name(other)}, which {forgotten}",
        _ADVICE,
        (last, after),
    )


def _went_on(facts: Facts, last: Call, over: int) -> Call | None:
    """Return the call by which it is certain that the program has forgotten a connection.

    That is a later connection of the thread that served it, where that thread serves one at a
    time: the one that it waited for when the connection was `over`, or went on to then. A process
    that polls several must have received the end (recv returned 0) and polled twice since. Of a
    thread that has ended it is the process's next accept.
    """
    process, thread = (last.host, last.pid), (last.host, last.tid)
    if process in facts.multiplexing:
        ended = verb(last.name) == "recv" and last.result == 0
        polls = facts.multiplexing[process]
        twice = len(polls) - bisect_right(polls, last.start, key=begin) > 1
        if not (ended and twice):
            return None
        return following(facts.opens.get(process, []), last.start, over, facts)
    exited = facts.ends.get(thread)
    after = following(facts.thread_opens.get(thread, []), last.start, over, facts)
    if after is None and exited and thread != process:
        return following(facts.opens.get(process, []), exited.time, over, facts)
    return after


def _closed_otherwise(facts: Facts, side: Side, call: Call) -> bool:
    """By close_range, dup2 over it, or exec: released while the process was there."""
    assert side.socket is not None
    released, exited = side.socket.released, facts.ends.get((call.host, call.pid))
    if (call.host, call.pid) in facts.wholesale:
        return True
    return released is not None and (exited is None or released < exited.time)


def _of_server_by_forks(facts: Facts, connection: Connection, side: Side) -> Iterator[Finding]:
    """Of a parent that keeps what it leaves to its child; so no FIN is sent when that closes."""
    calls = facts.calls_on(side)
    accept = next((call for call in calls if verb(call.name) == "accept"), None)
    if accept is None or side.socket is None or len(side.socket.holders) < 2:
        return
    parent = accept.host, accept.pid
    served = [call for call in calls if call.pid != accept.pid and verb(call.name) in _MOVES]
    own = {verb(call.name) for call in calls if call.pid == accept.pid}
    done = _given_up(facts, calls, accept)
    if not served or own - _PARENTS_PART or done is None:
        return
    later = following(facts.opens.get(parent, []), served[0].start, done, facts)
    if later is None or _closed_otherwise(facts, side, accept):
        return
    yield _leak(
        connection,
        accept,
        done,
        f"{facts.who(*parent)} on {accept.host} never closed descriptor {accept.result}, the"
        f" connection that it left to its child {served[0].pid}: so no FIN was sent when the child"
        f" closed it or ended {facts.at(done)}",
        "After fork close the connection in the parent (and the listening socket in the child):"
        " the kernel sends a FIN only when the last descriptor of the socket is closed.",
        (accept, served[-1], later),
    )


def _given_up(facts: Facts, calls: list[Call], accept: Call) -> int | None:
    """Return when the last process but the parent had closed a socket, or had ended."""
    users = {call.pid for call in calls} - {accept.pid}
    given = {call.pid: call.start for call in calls if verb(call.name) == "close"}
    for pid in users - given.keys():
        exited = facts.ends.get((accept.host, pid))
        if exited is None:
            return None
        given[pid] = exited.time
    return max((given[pid] for pid in users), default=None)


def _leak(
    connection: Connection,
    call: Call,
    time: int,
    sentence: str,
    advice: str,
    events: tuple[Call, ...],
) -> Finding:
    process: Thread = call.host, call.pid
    return Finding(
        rule="descriptor-leak",
        level="warning",
        host=call.host,
        time=time,
        key=(process, advice),
        sentence=sentence,
        advice=advice,
        events=events,
        connections=(connection.id,),
    )
