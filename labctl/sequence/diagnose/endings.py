"""How and when a side gave its connection up: the last close, or the end of its process."""

from __future__ import annotations

from typing import NamedTuple

from labctl.sequence.connection import Side
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.verbs import verb


class Ending(NamedTuple):
    """`begin` and `end` of what released the socket; `event` is the close or the exit."""

    event: Call | ProcessEvent | None
    begin: int
    end: int

    @property
    def words(self) -> str:
        """`called close`, or `ended`."""
        return "called close" if isinstance(self.event, Call) else "ended"


def ending(facts: Facts, side: Side) -> Ending | None:
    """Return how one end released its socket; None where it had it until the recording's end."""
    socket = side.socket
    if socket is None or socket.released is None:
        return None
    for call in reversed(facts.calls_on(side)):
        if verb(call.name) == "close" and call.last:
            return Ending(call, call.start, facts.until(call))
    for holder in reversed(socket.holders):
        exited = facts.ends.get((socket.host, holder))
        if exited and exited.time <= socket.released:
            return Ending(exited, exited.time, max(exited.time, socket.released))
    return Ending(None, socket.released, socket.released)


def closed(facts: Facts, side: Side) -> bool:
    """Return whether any process called close on the socket of one end."""
    return any(verb(call.name) == "close" for call in facts.calls_on(side))
