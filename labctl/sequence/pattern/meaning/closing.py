"""What it means when a connection is not closed as wanted."""

from __future__ import annotations

from labctl.sequence.pattern.calls import plain_sign
from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning.rule import ENDED, Rule
from labctl.sequence.pattern.words import SHARED


def _shared(d: Difference) -> bool:
    """It was closed, but by one of several that have it."""
    return any(plain_sign(call).result == SHARED for call in d.scene.calls)


def _open(d: Difference) -> bool:
    side = d.scene.side
    return side is not None and side.socket is not None and side.socket.released is None


def _unclosed(d: Difference) -> bool:
    return d.due == "close" and d.real == ENDED


RULES = (
    Rule(
        lambda d: _unclosed(d) and d.hung("recv"),
        "close was never reached: {who} was still waiting in recv at the end; recv returns 0 "
        "only once {peer} has closed or shut down its side.",
    ),
    Rule(
        lambda d: _unclosed(d) and _shared(d),
        "close was called, but another descriptor of the same socket was still open (a dup, or "
        "a forked process): no FIN is sent until the last one is closed.",
    ),
    Rule(
        lambda d: _unclosed(d) and _open(d),
        "close is missing: the socket was still open at the end, so that {peer} saw no end of "
        "file; a program that goes on like this runs out of descriptors (EMFILE).",
    ),
    Rule(
        _unclosed,
        "close is missing: the kernel closed the socket when the process ended; a program that "
        "runs on would keep the descriptor, and {peer} would see no end of file.",
    ),
    Rule(
        lambda d: d.due == "shutdown" and d.real in ("close", ENDED),
        "shutdown is missing: without SHUT_WR the peer sees no end of file while {who} can "
        "still receive; close ends both directions at once, and later data is answered with RST.",
    ),
    Rule(
        lambda d: d.real == "shutdown" and not d.wants("shutdown") and not d.errno,
        "shutdown was called, which the pattern does not name: it is not wrong, it sends the "
        "FIN and keeps the descriptor until close; write `shutdown?` to allow it.",
    ),
    Rule(
        lambda d: d.due == "close" and d.real in ("recv", "send") and not d.errno,
        "{who} went on with {call} where it should have closed.",
    ),
    Rule(
        lambda d: d.real == "close" and not d.wanted,
        "close came in addition: the pattern has ended already.",
    ),
)
