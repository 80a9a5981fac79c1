"""Whether something is on its way that ends a wait on a TCP connection."""

from __future__ import annotations

from labctl.sequence.arguments import words
from labctl.sequence.diagnose.args import size
from labctl.sequence.diagnose.blocked import Wait
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.flow import flow
from labctl.sequence.transfer import is_recv, is_send, moved
from labctl.sequence.verbs import verb


def comes(facts: Facts, wait: Wait, time: int) -> bool:
    """Return whether something was there or on its way by a time that ends a wait.

    That is unread bytes, or the other's FIN or RST. Where bytes cannot be counted (splice, a
    send that is not over) they are taken to be there.
    """
    if _given_up(facts, wait, time):
        return True
    if not wait.receives:
        return False
    sent, taken = _sent(facts, wait, time), _taken(facts, wait)
    if sent is None or taken is None:
        return True
    arrived = flow(facts, wait.connection, wait.other, wait.own).arrived(time)
    whole = "MSG_WAITALL" in words(wait.call, "flags")
    return max(sent, arrived) - taken >= ((size(wait.call) or 1) if whole else 1)


def _given_up(facts: Facts, wait: Wait, time: int) -> bool:
    """Return whether the other end had closed, was shut down, or had reset by a time."""
    socket = wait.other.socket
    if socket and socket.released is not None and socket.released <= time:
        return True
    if any(
        "FIN" in segment.flags or "RST" in segment.flags
        for segment in wait.connection.segments
        if segment.source == wait.other.endpoint and segment.time <= time
    ):
        return True
    return any(
        call.name == "shutdown" and not call.failed and call.args.get("how") != "SHUT_RD"
        for call in facts.calls_on(wait.other)
        if call.start <= time
    )


def _sent(facts: Facts, wait: Wait, time: int) -> int | None:
    total = 0
    for call in facts.calls_on(wait.other):
        if call.start > time:
            continue
        if verb(call.name) == "splice":
            return None
        if is_send(call):
            amount = moved(call)
            if amount is None:
                return None
            total += amount
    return total


def _taken(facts: Facts, wait: Wait) -> int | None:
    total = 0
    for call in facts.calls_on(wait.own):
        if verb(call.name) == "splice":
            return None
        if is_recv(call) and call.start < wait.call.start:
            total += moved(call) or 0
    return total
