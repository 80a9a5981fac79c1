"""What it means when a client's active open is not as wanted (socket, connect)."""

from __future__ import annotations

from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning.rule import ENDED, Rule, instead


def _after_failed_connect(d: Difference) -> bool:
    """Return whether the last call that was as wanted is a connect that failed."""
    sign = d.tokens[d.at - 1].sign if d.at else None
    return sign is not None and sign.verb == "connect" and sign.failed


RULES = (
    Rule(
        lambda d: _after_failed_connect(d) and d.real in ("send", "recv"),
        "{call} was called although connect had failed: {who} did not look at what connect "
        "returned; a socket without a peer is good for nothing but close.",
    ),
    Rule(
        lambda d: _after_failed_connect(d) and d.wants("close") and d.real == ENDED,
        "{who} did not close the socket after connect had failed: what state it is in then is "
        "not specified, and each further try needs a new socket (connect(2)).",
    ),
    Rule(
        lambda d: d.wants("bind") and d.real == "connect" and d.later("bind"),
        "connect was called before bind: connect had already given the socket an ephemeral "
        "port, and bind then fails with EINVAL (bind(2)).",
    ),
    Rule(
        instead("bind", "connect"),
        "connect was called without bind: the kernel chose the source address and an ephemeral "
        "port by itself, not the port that was wanted.",
    ),
    Rule(
        instead("connect", "bind"),
        "A client called bind: that is not wrong, but it fixes the port, so that a second run "
        "can fail with EADDRINUSE while the first connection is in TIME_WAIT; without bind the "
        "kernel chooses a free ephemeral port.",
    ),
    Rule(
        instead("connect", "listen", "accept"),
        "{who} called {call} where connect was due: it waits to be called itself, so that "
        "nobody makes the active open.",
    ),
    Rule(
        lambda d: instead("connect", "send", "recv")(d) and d.later("connect"),
        "{call} was called before connect: the socket had no peer yet, and {call} fails with "
        "ENOTCONN or EPIPE.",
    ),
    Rule(
        instead("connect", "send", "recv"),
        "connect is missing: {call} was called on a socket that has no peer.",
    ),
    Rule(
        lambda d: d.real == "connect" and d.errno == "EISCONN",
        "connect was called a second time on a socket that is connected already (EISCONN): a "
        "new connection needs a new socket.",
    ),
    Rule(
        lambda d: d.real == "connect" and d.earlier("connect"),
        "connect was called twice on one socket: a TCP socket has one connection in its life; "
        "another one needs another socket.",
    ),
    Rule(
        lambda d: d.wants("connect") and d.real == ENDED and d.hung("connect"),
        "connect never returned: no answer came to its SYN, which the kernel repeats for about "
        "two minutes (tcp(7), tcp_syn_retries).",
    ),
    Rule(
        lambda d: d.wants("connect") and d.real in (ENDED, "close"),
        "{who} never called connect: it made a socket, but no active open.",
    ),
)
