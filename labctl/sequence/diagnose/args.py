"""What rules ask of single calls (docs/events.md has the names of the arguments)."""

from __future__ import annotations

from labctl.sequence.arguments import number, words
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb


def size(call: Call) -> int | None:
    """Return how many bytes a recv has room for, or a send was to send."""
    return number(call, "length")


def sets(call: Call, option: str) -> bool:
    """Return whether a call is a setsockopt that switched an option on.

    Where the tracer could not see the value, it is taken to be: hardly a program says 0.
    """
    if call.name != "setsockopt" or call.failed or call.args.get("option") != option:
        return False
    return bool(call.args.get("value", True))


def lingers_not(call: Call) -> bool:
    """Return whether a call makes close throw the connection away: SO_LINGER of 0 s (socket(7))."""
    value = call.args.get("value")
    if call.name != "setsockopt" or call.failed or call.args.get("option") != "SO_LINGER":
        return False
    return isinstance(value, dict) and bool(value.get("l_onoff")) and value.get("l_linger") == 0


def reads(call: Call) -> bool:
    """Return whether a call took bytes from a socket, or found its end: a recv with a result."""
    return (
        verb(call.name) in ("recv", "splice")
        and call.result is not None
        and not call.failed
        and "MSG_PEEK" not in words(call, "flags")
    )


def sends(call: Call) -> bool:
    """Return whether a call gave bytes to a socket."""
    return verb(call.name) == "send" and call.result is not None and not call.failed


def never_blocks(call: Call) -> bool:
    """Return whether a call was told not to wait (recv(2), MSG_DONTWAIT)."""
    return "MSG_DONTWAIT" in words(call, "flags")


def backlog(call: Call) -> int | None:
    return number(call, "backlog")
