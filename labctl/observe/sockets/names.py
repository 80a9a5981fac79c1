"""Numbers of the kernel's, and what they are called (socket(2), linux/net.h, linux/tcp.h)."""

from __future__ import annotations

from labctl.observe.sockets.model import ALL_ADDRESSES, EMPTY, SocketAddress

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
FAMILIES = {
    AF_UNIX: "AF_UNIX",
    AF_INET: "AF_INET",
    AF_INET6: "AF_INET6",
    16: "AF_NETLINK",
    17: "AF_PACKET",
    38: "AF_ALG",
    40: "AF_VSOCK",
}
TYPES = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET"}
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 132: "sctp", 136: "udplite", 262: "mptcp"}
"""Of the internet families; of others the number has another meaning."""

_TCP_STATES = {
    1: "ESTABLISHED",
    2: "SYN-SENT",
    3: "SYN-RECEIVED",
    4: "FIN-WAIT-1",
    5: "FIN-WAIT-2",
    6: "TIME-WAIT",
    7: "CLOSED",
    8: "CLOSE-WAIT",
    9: "LAST-ACK",
    10: "LISTEN",
    11: "CLOSING",
    12: "SYN-RECEIVED",  # TCP_NEW_SYN_RECV
    13: "CLOSED",  # TCP_BOUND_INACTIVE
}
_OTHER_STATES = {1: "CONNECTED", 7: "UNCONNECTED", 10: "LISTEN"}

TIMERS = {1: "retransmit", 2: "keepalive", 3: "time-wait", 4: "probe"}

BY_PROTOCOL_NAME = {
    "TCP": ("AF_INET", "SOCK_STREAM", "tcp"),
    "TCPv6": ("AF_INET6", "SOCK_STREAM", "tcp"),
    "UDP": ("AF_INET", "SOCK_DGRAM", "udp"),
    "UDPv6": ("AF_INET6", "SOCK_DGRAM", "udp"),
    "RAW": ("AF_INET", "SOCK_RAW", ""),
    "RAWv6": ("AF_INET6", "SOCK_RAW", ""),
    "PING": ("AF_INET", "SOCK_DGRAM", "icmp"),
    "MPTCP": ("AF_INET", "SOCK_STREAM", "mptcp"),
    "UNIX-STREAM": ("AF_UNIX", "SOCK_STREAM", ""),
    "UNIX": ("AF_UNIX", "SOCK_DGRAM", ""),
    "NETLINK": ("AF_NETLINK", "SOCK_RAW", ""),
    "PACKET": ("AF_PACKET", "SOCK_RAW", ""),
}
"""Family, type and protocol by the kernel's name of a protocol (/proc/net/protocols)."""


def family(number: int) -> str:
    return FAMILIES.get(number, f"AF_{number}")


def socket_type(number: int) -> str:
    return TYPES.get(number, f"SOCK_{number}")


def protocol(family_number: int, number: int) -> str:
    """Return the name of a protocol, empty for the family's only one."""
    if family_number not in (AF_INET, AF_INET6):
        return str(number or "")
    return PROTOCOLS.get(number, str(number))


def state(of_protocol: str, number: int) -> str:
    """Return the name of a state: RFC 9293's of TCP, else whether it is connected."""
    known = _TCP_STATES if of_protocol in ("tcp", "mptcp") else _OTHER_STATES
    return known.get(number, str(number))


def internet(address: str, port: int) -> SocketAddress:
    """Return an internet address, its fields empty where they are not set.

    The address that stands for all of them is one only beside a port: without, nothing has
    been bound yet (ip(7)).
    """
    if not port:
        return EMPTY if address in ALL_ADDRESSES else SocketAddress(address)
    return SocketAddress(address, port)
