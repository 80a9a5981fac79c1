"""What it means when a program of UDP does not do as wanted (udp(7))."""

from __future__ import annotations

from labctl.sequence.pattern.meaning.rule import ENDED, Rule, instead

RULES = (
    Rule(
        lambda d: d.real == "listen" and not d.wants("listen"),
        "listen was called on a socket of UDP: there are no connections to wait for, and it "
        "fails with EOPNOTSUPP (listen(2)); recv waits for datagrams.",
    ),
    Rule(
        lambda d: d.real == "accept" and not d.wants("accept"),
        "accept was called on a socket of UDP: there are no connections to take, and it fails "
        "with EOPNOTSUPP (accept(2)); one socket serves all peers.",
    ),
    Rule(
        lambda d: d.wants("socket") and not d.scene.calls,
        "{who} made no socket of UDP at all: did its program start, and with SOCK_DGRAM?",
    ),
    Rule(
        instead("bind", "recv"),
        "bind is missing: recv was called on a socket that has no port yet, so that no datagram "
        "can ever reach it (ip(7)).",
    ),
    Rule(
        lambda d: d.scene.role == "server" and instead("bind", "send")(d),
        "bind is missing: the first send gives the socket an ephemeral port (ip(7)), which no "
        "client can know beforehand.",
    ),
    Rule(
        lambda d: d.wants("bind") and d.real in (ENDED, "close"),
        "bind is missing: the socket never got a port that a client could know.",
    ),
    Rule(
        instead("connect", "send"),
        "connect is missing: with UDP it sends nothing, but without it send must name its "
        "target each time (sendto), and a port unreachable is not reported to the program.",
    ),
    Rule(
        lambda d: d.real == "connect" and not d.wants("connect") and not d.errno,
        "connect was called on a socket of UDP: nothing is sent by it; it fixes the peer, and "
        "datagrams of all others are then dropped.",
    ),
    Rule(
        lambda d: d.real == "recv" and d.errno == "ECONNREFUSED",
        "recv failed with ECONNREFUSED: an earlier datagram was answered by ICMP port "
        "unreachable, so no socket was bound to that port.",
    ),
    Rule(
        lambda d: d.wants("recv") and d.real == ENDED and d.hung("recv") and d.earlier("send"),
        "recv never returned: no answer came; with UDP nobody says that a datagram was lost, "
        "and the program must wait with a timeout and send again.",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == ENDED and d.hung("recv"),
        "recv never returned: no datagram reached {who}.",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == ENDED,
        "{who} never received: the kernel keeps datagrams only until the receive buffer is "
        "full, and drops the rest without a word.",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == ENDED,
        "{who} never sent an answer: a client that waits without a timeout waits for ever.",
    ),
    Rule(
        lambda d: d.due == "send" and d.real == "recv" and not d.errno,
        "{who} received again where it should have sent: each datagram is one message, and the "
        "one before was left without an answer.",
    ),
    Rule(
        lambda d: d.due == "recv" and d.real == "send" and not d.errno,
        "{who} sent a datagram where it should first have received one.",
    ),
)
