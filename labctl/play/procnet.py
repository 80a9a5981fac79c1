"""Reads /proc/net/tcp, tcp6, udp and udp6: the sockets of one network namespace. Pure.

The format is that of proc_net(5) and of the kernel's Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Transport = Literal["tcp", "udp"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ENGINE_RESOLVER = ipaddress.IPv4Address("127.0.0.11")
"""Where Docker's own name server listens inside each host, on ports of its choice."""


class State(Enum):
    """The states of RFC 9293 section 3.3.2, by the kernel's numbers (net/tcp_states.h).

    A UDP socket is ESTABLISHED when it is connected, otherwise CLOSE.
    """

    ESTABLISHED = 0x01
    SYN_SENT = 0x02
    SYN_RECV = 0x03
    FIN_WAIT1 = 0x04
    FIN_WAIT2 = 0x05
    TIME_WAIT = 0x06
    CLOSE = 0x07
    CLOSE_WAIT = 0x08
    LAST_ACK = 0x09
    LISTEN = 0x0A
    CLOSING = 0x0B
    NEW_SYN_RECV = 0x0C


@dataclass(frozen=True)
class Socket:
    """One line. Queue lengths are in bytes (in LISTEN: connections waiting for `accept`)."""

    transport: Transport
    local: Address
    local_port: int
    remote: Address
    remote_port: int
    state: State
    send_queue: int
    receive_queue: int
    uid: int
    inode: int

    @property
    def bound(self) -> bool:
        """Whether a program waits here: TCP in LISTEN, or UDP bound to a port."""
        return self.state is State.LISTEN if self.transport == "tcp" else self.local_port != 0


_LINE = re.compile(
    r"\s*\d+:\s"
    r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s"
    r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s"
    r"([0-9A-F]{2})\s([0-9A-F]{8,}):([0-9A-F]{8,})\s"
    r"[0-9A-F]{2}:[0-9A-F]{8,}\s[0-9A-F]{8,}\s+(\d+)\s+\d+\s+(\d+)(?:\s|$)",
    re.ASCII,
)


def parse(
    text: str, transport: Transport, byteorder: Literal["little", "big"] = "little"
) -> list[Socket]:
    """Return the sockets that the text lists; the files for IPv4 and IPv6 may follow each other.

    `byteorder` is that of the machine the text is from: addresses stand there as 32-bit
    words of that order. Lines that are no sockets (the headers, a line cut short) are
    passed over.
    """
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and int(match[5], 16) in _STATES:
            found.append(_socket(match, transport, byteorder))
    return found


_STATES = {state.value for state in State}


def _socket(
    match: re.Match[str], transport: Transport, byteorder: Literal["little", "big"]
) -> Socket:
    return Socket(
        transport,
        _address(match[1], byteorder),
        int(match[2], 16),
        _address(match[3], byteorder),
        int(match[4], 16),
        State(int(match[5], 16)),
        int(match[6], 16),
        int(match[7], 16),
        int(match[8]),
        int(match[9]),
    )


def _address(digits: str, byteorder: Literal["little", "big"]) -> Address:
    words = (digits[at : at + 8] for at in range(0, len(digits), 8))
    packed = b"".join(int(word, 16).to_bytes(4, byteorder) for word in words)
    return ipaddress.ip_address(packed)
