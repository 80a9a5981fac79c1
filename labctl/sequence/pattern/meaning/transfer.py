"""What it means when data is not sent and received as wanted."""

from __future__ import annotations

from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning.rule import ENDED, Rule


def _server(d: Difference) -> bool:
    return d.scene.role == "server"


def _wants_end(d: Difference) -> bool:
    """The end of file is what is due."""
    return d.due == "recv" and d.wanted[0].result == 0


def _is_short(d: Difference) -> bool:
    """Fewer bytes came than the element names."""
    due = d.wanted[0].result if d.due == "recv" else None
    return d.real == "recv" and not d.errno and isinstance(due, int) and 0 < _bytes(d) < due


def _bytes(d: Difference) -> int:
    return (d.call.result if d.call else None) or 0


def _went_well(d: Difference, *real: str) -> bool:
    return d.real in real and not d.errno


RULES = (
    Rule(
        lambda d: d.real == "send" and d.earlier("shutdown"),
        "send was called after shutdown: with SHUT_WR the program has said that nothing more "
        "comes, so send fails with EPIPE, and SIGPIPE ends a program that does not handle it.",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == ENDED and d.hung("recv"),
        "recv never returned: {who} was still waiting for data from {peer} at the end; where "
        "the peer waits too, neither will ever go on.",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == ENDED and d.hung("send"),
        "send never returned: the peer does not read, so that its receive window and {who}'s "
        "send buffer are full (tcp(7)).",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == ENDED and d.hung("recv"),
        "{who} still waited in recv where it should have sent: if {peer} waits for that, each "
        "waits for the other for ever.",
    ),
    Rule(
        lambda d: _wants_end(d) and d.real == "close",
        "{who} closed without having read the end of file: it did not wait until {peer} had "
        "sent everything and closed; what still comes is answered with RST.",
    ),
    Rule(
        lambda d: _wants_end(d) and d.real == ENDED,
        "{who} never read the end of file (recv = 0): it cannot know whether {peer} had sent "
        "everything.",
    ),
    Rule(
        lambda d: _wants_end(d) and _went_well(d, "recv"),
        "recv returned data where the end of file (0) was due: {peer} sent more, or in more "
        "pieces, than the pattern allows; TCP keeps no message boundaries.",
    ),
    Rule(
        _is_short,
        "{call} returned fewer bytes than were due, a short read: TCP keeps no message "
        "boundaries, so a program must call it until it has the whole message.",
    ),
    Rule(
        lambda d: d.due == "recv" and _went_well(d, "send") and _server(d),
        "{who} sent before it had received the request: it cannot have read what {peer} asks.",
    ),
    Rule(
        lambda d: d.due == "recv" and _went_well(d, "send"),
        "{who} sent again where it should have received: the answer of {peer} waits unread in "
        "the receive buffer.",
    ),
    Rule(
        lambda d: d.due == "send" and _went_well(d, "recv") and _server(d),
        "{who} went on to receive where it should have answered: a {peer} that waits for the "
        "answer sends nothing, and both wait for ever.",
    ),
    Rule(
        lambda d: d.due == "send" and _went_well(d, "recv"),
        "{who} received before it had sent its request: a server that waits for the request "
        "sends nothing first, and both wait for ever.",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == "close" and _server(d),
        "{who} closed before it had read what {peer} sent: close with unread data sends RST, "
        "and the peer may lose even the answer that it was already sent (RFC 9293, 3.6.1).",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == "close",
        "{who} closed before it had received the answer: data that arrives afterwards, or lies "
        "unread, is answered with RST.",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == "close" and _server(d),
        "{who} closed without an answer: all that {peer} gets is the end of file (recv = 0).",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == "close",
        "{who} closed without having sent its request: all that {peer} gets is the end of file "
        "(recv = 0).",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == ENDED,
        "{who} never received: what {peer} sent lies unread in its receive buffer.",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == ENDED,
        "{who} never sent anything here: {peer}, if it waits in recv, waits for ever.",
    ),
)
