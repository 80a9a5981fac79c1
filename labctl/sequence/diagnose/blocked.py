"""Calls that wait on a TCP connection until the other end does something, in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labctl.sequence.arguments import number
from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose.args import never_blocks, sets
from labctl.sequence.diagnose.facts import Facts, following
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

PATIENCE = 1_000_000_000
"""Nanoseconds that a call must have been blocked before it is taken to wait in vain."""

_FRUITLESS = frozenset(
    {
        *("EAGAIN", "EWOULDBLOCK", "EINTR", "ETIMEDOUT", "ECONNRESET", "EPIPE"),
        *("ERESTARTSYS", "ERESTART_RESTARTBLOCK", "ERESTARTNOHAND"),
    }
)
_TIMEOUTS = {"recv": "SO_RCVTIMEO", "send": "SO_SNDTIMEO"}


@dataclass(frozen=True, slots=True)
class Wait:
    """A thread blocked in `call` (recv, or send where the window is full) on one end.

    A poll of nothing but that end is the same as the recv or send that it is made before.
    """

    call: Call
    connection: Connection
    own: Side
    other: Side
    receives: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """What no other wait has: a thread, and when it began to wait."""
        return self.call.host, self.call.tid, self.call.start


def waits(facts: Facts) -> Iterator[Wait]:
    """Yield the calls that never returned, or that were blocked for long and got nothing."""
    for connection in facts.connections:
        if connection.protocol != "tcp" or connection.outcome != "established":
            continue
        for own, other in (connection.sides, connection.sides[::-1]):
            for call in own.calls:
                receives = _receives(facts, call, own)
                if receives is not None:
                    yield Wait(call, connection, own, other, receives)


def _receives(facts: Facts, call: Call, own: Side) -> bool | None:
    """Return True of a recv that waits in vain, False of such a send, None of others."""
    kind = verb(call.name)
    if kind not in ("recv", "send", "poll"):
        return None
    long = facts.until(call) - call.start >= PATIENCE
    if call.end is not None and not (long and _in_vain(facts, call, own)):
        return None
    if not long and _has_timeout(facts, call, own):
        return None
    if kind == "poll":
        return _polls_one(call)
    if own.socket is None or call.socket != own.socket.id or never_blocks(call):
        return None
    return kind == "recv"


def _in_vain(facts: Facts, call: Call, own: Side) -> bool:
    """Return whether a call that was over got nothing but the end, or the end of its patience."""
    if call.errno in _FRUITLESS:
        return True
    if verb(call.name) != "poll" or not call.result:
        return call.result == 0
    then = following(facts.thread_calls[call.host, call.tid], call.start)
    on_it = then is not None and own.socket is not None and then.socket == own.socket.id
    return then is not None and on_it and (then.result == 0 or then.errno in _FRUITLESS)


def _has_timeout(facts: Facts, call: Call, own: Side) -> bool:
    kind = verb(call.name)
    if kind == "poll":
        limit = number(call, "timeout_ms")
        return limit is not None and limit >= 0
    return any(sets(other, _TIMEOUTS[kind]) for other in facts.calls_on(own))


def _polls_one(call: Call) -> bool | None:
    """Return True of a poll of one descriptor to be read from, False of one to be written to."""
    named = call.args.get("descriptors")
    if isinstance(named, dict):
        words = [word for events in named.values() if isinstance(events, list) for word in events]
        if len(named) != 1 or ("POLLIN" in words) == ("POLLOUT" in words):
            return None
        return "POLLIN" in words
    sets_of = [call.args.get(name) for name in ("read", "write", "except")]
    read, write, others = ([*each] if isinstance(each, list) else [] for each in sets_of)
    if len(read) + len(write) != 1 or others:
        return None
    return bool(read)
