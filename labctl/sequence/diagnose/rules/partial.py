"""Messages of which a part was left: TCP carries a stream of bytes, no messages (RFC 9293, 3.8)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.args import size
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.endings import Ending, ending
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.flow import Flow, flows
from labctl.sequence.diagnose.words import count
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

_PLAIN_SENDS = frozenset({"send", "sendto", "sendmsg", "write", "writev"})
"""sendfile(2) is asked for more than the file has, as a matter of course."""


def short_read(facts: Facts) -> Iterator[Finding]:
    """Say of a program that gave a connection up with the rest of a message unread."""
    for connection, arriving, leaving in flows(facts):
        if not arriving.read or not arriving.sent or not arriving.read[-1].result:
            continue
        end = ending(facts, arriving.target)
        last = arriving.read[-1]
        if end is None or any(_tries_after(c, last) for c in facts.calls_on(arriving.target)):
            continue
        cut = _cut(arriving, leaving, end)
        if cut:
            yield _short_read(facts, connection, arriving, end, *cut)


def _tries_after(call: Call, last: Call) -> bool:
    return verb(call.name) in ("recv", "splice") and call.start > last.start


def _cut(arriving: Flow, leaving: Flow, end: Ending) -> tuple[list[Call], int, str] | None:
    """Return the sends that make the message, its length, and how it was cut.

    A message is what one send sent; or what several did one after the other, between which the
    sender received nothing, so that it cannot have taken the reader for done.
    """
    taken = arriving.taken()
    ends = list(accumulate(call.result or 0 for call in arriving.sent))
    if not ends or taken >= ends[-1] or taken == 0:
        return None
    place = next(i for i, reached in enumerate(ends) if reached > taken)
    send = arriving.sent[place]
    begun = ends[place] - (send.result or 0)
    if begun < taken:
        if send.start >= end.begin:
            return None
        return [send], send.result or 0, f"{taken - begun:,} of the"
    turn = _turn(arriving.sent, place, leaving)
    if arriving.sent[place - 1] not in turn:
        return None
    return turn, sum(call.result or 0 for call in turn), "the first part of the"


def _turn(sent: tuple[Call, ...], place: int, leaving: Flow) -> list[Call]:
    """Return the sends before and after one, as far as the sender received nothing between."""
    time = sent[place].start
    begin = max((c.start for c in leaving.read if c.start < time), default=0)
    end = min((c.start for c in leaving.read if c.start > time), default=None)
    return [c for c in sent if c.start > begin and (end is None or c.start < end)]


def _short_read(
    facts: Facts,
    connection: Connection,
    arriving: Flow,
    end: Ending,
    sends: list[Call],
    length: int,
    part: str,
) -> Finding:
    last, reader = arriving.read[-1], facts.host_of(arriving.target) or "the receiver"
    full = size(last) is not None and last.result == size(last)
    calls = "one send" if len(sends) == 1 else count(len(sends), "send")
    why = ", all that its buffer had room for," if full else ""
    return Finding(
        rule="short-read",
        level="warning",
        host=last.host,
        time=last.start,
        key=(reader, arriving.target is connection.server, len(sends) == 1),
        sentence=f"{reader} took {part} {count(length, 'byte')} that {facts.name(arriving.source)}"
        f" had sent with {calls}: recv on descriptor {last.fd} returned {last.result:,}{why}"
        f" {facts.at(last.start)}, and it {end.words} {facts.at(end.begin)} without calling recv"
        f" again for the rest",
        advice="One recv returns what has arrived, not one message. Call recv in a loop until the"
        " message is whole: by its length, its end mark, or until recv returns 0.",
        events=(*sends, last, *([end.event] if end.event else [])),
        connections=(connection.id,),
    )


def short_write(facts: Facts) -> Iterator[Finding]:
    """Say of a program that left out what its send had not taken."""
    for connection, leaving, arriving in flows(facts):
        if not leaving.sent:
            continue
        last = leaving.sent[-1]
        asked, done = size(last), last.result or 0
        end = ending(facts, leaving.source)
        if last.name not in _PLAIN_SENDS or asked is None or done >= asked or end is None:
            continue
        tries = [c for c in facts.calls_on(leaving.source) if c.start > last.start]
        gone = arriving.finished()
        if any(verb(c.name) == "send" for c in tries) or (gone is not None and gone < end.begin):
            continue
        yield Finding(
            rule="short-write",
            level="warning",
            host=last.host,
            time=last.start,
            key=(last.host, leaving.source is connection.server),
            sentence=f"send on descriptor {last.fd} of {facts.who(last.host, last.pid)} on"
            f" {last.host} took only {done:,} of {count(asked, 'byte')}"
            f" {facts.at(last.start)}, and it {end.words} {facts.at(end.begin)} without sending"
            f" the other {asked - done:,}",
            advice="Look at what send returns and send the rest in a loop (Python: sendall).",
            events=(last, *([end.event] if end.event else [])),
            connections=(connection.id,),
        )
