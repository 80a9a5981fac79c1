"""How a connect that does not wait went out, as its program learned of it (connect(2))."""

from __future__ import annotations

from labctl.sequence.arguments import number, word
from labctl.sequence.connection import Connection
from labctl.sequence.events import Call
from labctl.sequence.pattern.calls import BEGUN, OUTCOMES
from labctl.sequence.pattern.wire import words
from labctl.sequence.pattern.words import OK
from labctl.sequence.verbs import verb


def completion(begun: Call, connection: Connection) -> tuple[str | None, bool, int | None]:
    """Return how a connect that was only begun went out: its errno, whether known, and when.

    It is known where the program read SO_ERROR, called connect again, or used the connection;
    when is the first poll that said so, or that call.
    """
    ready: int | None = None
    for call in connection.client.calls:
        if call.start <= begun.start:
            continue
        if verb(call.name) in ("poll", "epoll") and (call.result or 0) > 0 and ready is None:
            ready = call.end
        elif call.name == "getsockopt" and call.args.get("option") == "SO_ERROR":
            return _told(call, connection), True, ready or call.end
        elif call.name == "connect" and call.errno not in (*BEGUN, "EALREADY"):
            return None if call.errno == "EISCONN" else call.errno, True, ready or call.end
        elif verb(call.name) in ("send", "recv") and not call.failed:
            return None, True, ready or call.start
        elif verb(call.name) == "close":
            return begun.errno, False, ready or call.start
    return begun.errno, False, ready


def _told(call: Call, connection: Connection) -> str | None:
    """Return the errno that SO_ERROR gave; where a tracer does not see it, what it must be."""
    error = word(call, "value") or None
    if error is not None or number(call, "value") is not None:
        return error
    if any(words(segment)[0] == "network-unreachable" for segment in connection.segments):
        return "ENETUNREACH"
    outcome = OUTCOMES.get(connection.outcome)
    return None if outcome == OK else outcome
