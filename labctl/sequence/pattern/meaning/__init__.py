"""One plain sentence on what a first difference means, from a table of rules."""

from __future__ import annotations

from labctl.sequence.pattern.difference import WIRE, Difference
from labctl.sequence.pattern.meaning import (
    client,
    closing,
    datagrams,
    segments,
    server,
    transfer,
)
from labctl.sequence.pattern.meaning.general import did_not_fail, failed, general
from labctl.sequence.pattern.meaning.rule import Rule, first

_UNSEEN = (
    "The first calls of {who} are missing: the socket was there before the recording began, so "
    "they could not be seen."
)
_TCP = {
    "server": (*server.RULES, *client.RULES, *transfer.RULES, *closing.RULES),
    "client": (*client.RULES, *server.RULES, *transfer.RULES, *closing.RULES),
    "wire": segments.RULES,
}


def meaning(difference: Difference) -> str:
    """Return what the first difference between wanted and real sequence means."""
    if _is_unseen(difference):
        return _UNSEEN.format(who=difference.scene.subject)
    return (
        first(_rules(difference), difference)
        or failed(difference)
        or did_not_fail(difference)
        or general(difference)
    )


def _rules(difference: Difference) -> tuple[Rule, ...]:
    if difference.scene.role == WIRE or difference.scene.protocol != "udp":
        return _TCP[difference.scene.role]
    return (*datagrams.RULES, *closing.RULES)


def _is_unseen(difference: Difference) -> bool:
    side = difference.scene.side
    unborn = side is not None and side.socket is not None and side.socket.born is None
    return unborn and difference.wants("socket") and difference.real != "socket"
