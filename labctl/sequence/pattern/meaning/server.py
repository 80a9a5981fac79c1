"""What it means when a server's passive open is not as wanted (socket, bind, listen, accept)."""

from __future__ import annotations

from labctl.sequence.pattern.difference import Difference
from labctl.sequence.pattern.meaning.rule import ENDED, Rule, instead


def _other_port(d: Difference) -> bool:
    """The socket is bound to another port than the one that was called."""
    connection, side = d.scene.connection, d.scene.side
    if connection is None or side is None or side.socket is None:
        return False
    called, own = connection.server.endpoint, side.socket.local
    return called is not None and own is not None and own.port not in (0, called.port)


def _no_calls(d: Difference) -> bool:
    return d.wants("socket") and not d.scene.calls


RULES = (
    Rule(
        lambda d: _no_calls(d) and d.scene.outcome == "refused",
        "{who} made no socket of this kind at all, so its kernel answered the call with RST: "
        "was its program running, and on the right host?",
    ),
    Rule(
        _no_calls,
        "{who} made no socket of this kind at all: did its program start, and was it observed "
        "from its start?",
    ),
    Rule(
        lambda d: instead("bind", "listen")(d) and d.later("bind"),
        "bind was called after listen: the kernel had already given the socket an ephemeral "
        "port, and bind then fails with EINVAL (bind(2)).",
    ),
    Rule(
        instead("bind", "listen"),
        "bind is missing: listen without it gives the socket an ephemeral port (ip(7)), a new "
        "one each time, so that no client can know where to connect.",
    ),
    Rule(
        instead("bind", "accept"),
        "Neither bind nor listen was called before accept: the socket has no port and is not "
        "passive, so accept fails with EINVAL (accept(2)).",
    ),
    Rule(
        lambda d: instead("listen", "accept")(d) and d.later("listen"),
        "accept was called before listen: a socket that does not listen has no backlog to take "
        "connections from, and accept fails with EINVAL (accept(2)).",
    ),
    Rule(
        instead("listen", "accept"),
        "listen is missing: bind gives the socket a port but leaves it closed; each connect to "
        "it is refused (RST), and accept fails with EINVAL (accept(2)).",
    ),
    Rule(
        lambda d: d.scene.role == "server" and d.wants("listen", "accept") and d.real == "connect",
        "{who} called connect where it should wait for connections: connect is the active open, "
        "a client's; a server's is passive: bind, listen, accept.",
    ),
    Rule(
        instead("listen", "recv", "send"),
        "listen is missing: {call} was called on a socket that is not connected and does not "
        "listen, so that no client can reach it.",
    ),
    Rule(
        lambda d: d.wants("listen") and d.real in (ENDED, "close"),
        "listen is missing: the socket was never made passive, and each connect to its port is "
        "refused (RST).",
    ),
    Rule(
        lambda d: d.wants("bind") and d.real in (ENDED, "close"),
        "bind is missing: the socket never got a port that a client could know.",
    ),
    Rule(
        instead("accept", "recv", "send"),
        "{call} was called where accept was due: a listening socket carries no data (ENOTCONN); "
        "accept returns a new socket for each connection, and that one does.",
    ),
    Rule(
        lambda d: d.wants("accept") and d.real == ENDED and _other_port(d),
        "The client called another port than the one that {who}'s socket is bound to, so "
        "accept had nothing to return.",
    ),
    Rule(
        lambda d: d.wants("accept") and d.real == ENDED and d.scene.outcome == "established",
        "{who} never accepted this connection: the kernel completed the handshake by itself, "
        "and the connection stayed in the backlog (listen(2)).",
    ),
    Rule(
        lambda d: d.wants("accept") and d.real == ENDED and d.hung("accept"),
        "accept never returned: no connection reached {who}, which was still waiting for one "
        "at the end.",
    ),
    Rule(
        lambda d: d.wants("accept") and d.real == ENDED,
        "{who} never called accept: connections that its kernel completes wait in the backlog, "
        "and no program reads what they send.",
    ),
    Rule(
        instead("accept", "close"),
        "{who} closed its listening socket without accept: connections that waited in the "
        "backlog are reset.",
    ),
    Rule(
        lambda d: d.real == "bind" and d.earlier("bind"),
        "bind was called a second time: a socket that has an address keeps it, and bind fails "
        "with EINVAL (bind(2)).",
    ),
    Rule(
        lambda d: d.real == "listen" and d.earlier("listen"),
        "listen was called again: on a socket that listens already it only changes the backlog.",
    ),
)
