"""Calls that end one direction of a connection (shutdown(2), close(2))."""

from __future__ import annotations

from labctl.sequence.arguments import words
from labctl.sequence.events import Call


def ends_sending(call: Call) -> bool:
    """Tell whether nothing can be sent after a call: the FIN follows what is still unsent."""
    return _shuts(call, "SHUT_RD") if call.name == "shutdown" else call.last


def ends_receiving(call: Call) -> bool:
    """Tell whether recv returns 0 after a call, whatever the other end does."""
    return call.name == "shutdown" and _shuts(call, "SHUT_WR")


def _shuts(call: Call, other: str) -> bool:
    """Tell whether a shutdown is of more than the other direction."""
    return not call.failed and other not in words(call, "how")
