"""The two ends of a connection, as events of the kernel tell them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from labctl.sequence.events import Endpoint

_MAPPED = "::ffff:"

_SOCKET = re.compile(
    rb"family=(\w+) .*?sport=(\d{1,5}) dport=(\d{1,5}) saddr=(\S+) daddr=(\S+) "
    rb"saddrv6=(\S+) daddrv6=(\S+)(?: oldstate=(\w+) newstate=(\w+))?"
)
_ROUTE = re.compile(
    rb"table +\d+ oif -?\d+ iif -?\d+ proto (\d+) (\S+)/(\d{1,5}) -> (\S+)/(\d{1,5}) "
)
_PROTOCOLS = (b"6", b"17")

STATES = {
    b"TCP_ESTABLISHED": "ESTABLISHED",
    b"TCP_SYN_SENT": "SYN-SENT",
    b"TCP_SYN_RECV": "SYN-RECEIVED",
    b"TCP_NEW_SYN_RECV": "SYN-RECEIVED",
    b"TCP_FIN_WAIT1": "FIN-WAIT-1",
    b"TCP_FIN_WAIT2": "FIN-WAIT-2",
    b"TCP_TIME_WAIT": "TIME-WAIT",
    b"TCP_CLOSE": "CLOSED",
    b"TCP_CLOSE_WAIT": "CLOSE-WAIT",
    b"TCP_LAST_ACK": "LAST-ACK",
    b"TCP_LISTEN": "LISTEN",
    b"TCP_CLOSING": "CLOSING",
}
"""Linux's names of TCP's states, and those of RFC 9293, 3.3.2."""


class Ends(NamedTuple):
    """`old` and `new` are empty where the event tells no change of state."""

    local: Endpoint
    remote: Endpoint
    old: str = ""
    new: str = ""


def of_socket(text: bytes) -> Ends | None:
    """Read an event that shows a socket: inet_sock_set_state, tcp_rcv_space_adjust.

    Of other protocols than TCP over IP, and where the text is not as expected: None.
    """
    match = _SOCKET.match(text)
    if match is None or (b"protocol=" in text and b"protocol=IPPROTO_TCP" not in text):
        return None
    family, sport, dport, saddr, daddr, saddr6, daddr6, old, new = match.groups()
    if family == b"AF_INET6":
        saddr, daddr = saddr6, daddr6
    elif family != b"AF_INET":
        return None
    if old is not None and (old not in STATES or new not in STATES):
        return None
    local, remote = _endpoint(saddr, sport), _endpoint(daddr, dport)
    return Ends(local, remote, STATES.get(old or b"", ""), STATES.get(new or b"", ""))


def of_route(text: bytes) -> Ends | None:
    """Read an event that shows how a route was looked for, for TCP or UDP; of others None."""
    match = _ROUTE.match(text)
    if match is None or match[1] not in _PROTOCOLS or match[5] == b"0":
        return None
    return Ends(_endpoint(match[2], match[3]), _endpoint(match[4], match[5]))


def _endpoint(address: bytes, port: bytes) -> Endpoint:
    name = address.decode("latin-1")
    # A socket of IPv6 may speak IPv4: as on the wire then.
    return Endpoint(name.removeprefix(_MAPPED) if "." in name else name, int(port))
