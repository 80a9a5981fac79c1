"""How many bytes calls moved, in which direction, on which socket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labctl.sequence import arguments
from labctl.sequence.events import Call
from labctl.sequence.verbs import FAMILIES

_SEND, _RECV = frozenset(FAMILIES["send"]), frozenset(FAMILIES["recv"])

_ASIDE = frozenset({"MSG_PEEK", "MSG_OOB", "MSG_ERRQUEUE"})
"""With these a recv takes nothing from the stream (recv(2))."""


def is_send(call: Call) -> bool:
    """Tell whether a call gives data to a socket."""
    return call.name in _SEND


def is_recv(call: Call) -> bool:
    """Tell whether a call takes data from a socket."""
    if call.name not in _RECV:
        return False
    return "flags" not in call.args or not _ASIDE & arguments.words(call, "flags")


def moved(call: Call) -> int | None:
    """Return how many bytes a call moved; None where that is not known."""
    if call.failed:
        return 0
    if call.name in ("sendmmsg", "recvmmsg") and call.result is not None:
        return _of_messages(call)
    return call.result


def _of_messages(call: Call) -> int | None:
    """Return the bytes of a call that moved several messages and returned their number."""
    listed = call.args.get("messages")
    messages = listed[: call.result] if isinstance(listed, list) else []
    sizes = [m.get("moved") for m in messages if isinstance(m, dict)]
    known = [size for size in sizes if isinstance(size, int)]
    return sum(known) if len(known) == call.result else None


@dataclass(slots=True)
class Transfer:
    """What the calls on a socket moved. A total is None where it is not known.

    `first_send` is when the first send was called that moved something, or may have; `end`
    when close, shutdown or the end of the process first put an end to sending, None if never.
    """

    sent: int | None = 0
    received: int | None = 0
    first_send: int | None = None
    end: int | None = None


def transfer(calls: Iterable[Call], released: int | None) -> Transfer:
    """Return what the calls on a socket moved, in any order.

    Of a splice it is not told here which of its descriptors is the socket, so with one both
    totals are unknown.
    """
    found = Transfer()
    for call in calls:
        size = moved(call)
        if call.name == "splice":
            found.sent = found.received = None
            found.first_send = min(found.first_send or call.start, call.start)
        elif is_send(call):
            found.sent = None if found.sent is None or size is None else found.sent + size
            if size != 0:
                found.first_send = min(found.first_send or call.start, call.start)
        elif is_recv(call) and call.result is not None:
            lost = found.received is None or size is None
            found.received = None if lost else (found.received or 0) + (size or 0)
        elif call.last or (call.name == "shutdown" and not call.failed):
            found.end = min(found.end or call.start, call.start)
    if found.end is None:
        found.end = released
    return found
