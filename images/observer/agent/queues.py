"""The send and receive queues of all TCP and UDP sockets of a host, again and again.

To list the connections the kernel walks through a large table, which takes some milliseconds.
So that is done only when their number has changed, or one is not there any more; each
connection that is known is asked for by itself.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP

import sock_diag

_FAMILIES = (AF_INET, AF_INET6)
_SYN_RECV, _TIME_WAIT, _CLOSE, _LISTEN, _NEW_SYN_RECV = 3, 6, 7, 10, 12
_WITHOUT_QUEUES = (_SYN_RECV, _TIME_WAIT, _CLOSE, _LISTEN, _NEW_SYN_RECV)
"""States (linux/tcp_states.h) in which no bytes wait for anybody."""
_WANTED = 0xFFF & ~sum(1 << state for state in _WITHOUT_QUEUES)

_COUNTS = (Path("/proc/net/sockstat"), Path("/proc/net/sockstat6"))
_LIST_AGAIN = 1.0
"""Seconds after which they are listed although nothing seems to have changed."""

_COOKIE, _EXPIRES = slice(44, 52), slice(52, 56)
"""Where an inet_diag_msg has the socket's cookie, and when its timer fires."""

RECORD = struct.Struct("=QBxH")
"""Before each message: nanoseconds since 1970, protocol, and how many bytes it has. Of a socket
that is gone only its identity follows, and GONE is added to the protocol."""
GONE = 0x80


class Queues:
    """Looks at the queues; tells only what is other than at the look before."""

    def __init__(self) -> None:
        self._netlink = sock_diag.connected()
        self._connections: dict[bytes, bytes] = {}
        self._told: dict[tuple[int, bytes], bytes] = {}
        self._counts = b""
        self._listed = 0.0

    def look(self) -> Iterator[bytes]:
        """Yield a record for each socket that is new, other than before, or gone."""
        now: dict[tuple[int, bytes], bytes] = {}
        for protocol, messages in ((IPPROTO_TCP, self._tcp()), (IPPROTO_UDP, self._udp())):
            for at, message in messages:
                key = protocol, message[_COOKIE]
                now[key] = _steady(message)
                if self._told.get(key) != now[key]:
                    yield RECORD.pack(at, protocol, len(message)) + message
        for key in self._told.keys() - now.keys():
            identity = self._told[key][: _EXPIRES.start]
            yield RECORD.pack(time.time_ns(), key[0] | GONE, len(identity)) + identity
        self._told = now

    def _tcp(self) -> Iterator[tuple[int, bytes]]:
        counts = b"".join(_count(path) for path in _COUNTS)
        if counts != self._counts or time.monotonic() - self._listed > _LIST_AGAIN:
            yield from self._listed_tcp()
            self._counts = counts
            return
        missing = False
        for cookie, message in tuple(self._connections.items()):
            again = self._one(message)
            if again is None:
                del self._connections[cookie]
                missing = True
            else:
                yield again
        if missing:
            self._counts = b""  # another may be there in its place

    def _listed_tcp(self) -> Iterator[tuple[int, bytes]]:
        self._connections = {}
        for family in _FAMILIES:
            request = sock_diag.queues_request(family, IPPROTO_TCP, _WANTED)
            for message in sock_diag.asked(self._netlink, request):
                self._connections[message[_COOKIE]] = message
                yield time.time_ns(), message
        self._listed = time.monotonic()

    def _one(self, message: bytes) -> tuple[int, bytes] | None:
        request = sock_diag.again_request(message, IPPROTO_TCP)
        with suppress(OSError):
            for again in sock_diag.asked(self._netlink, request, one=True):
                if again[1] not in _WITHOUT_QUEUES:
                    return time.time_ns(), again
        return None

    def _udp(self) -> Iterator[tuple[int, bytes]]:
        for family in _FAMILIES:
            request = sock_diag.queues_request(family, IPPROTO_UDP)
            for message in sock_diag.asked(self._netlink, request):
                yield time.time_ns(), message


def _count(path: Path) -> bytes:
    """Return what sockstat says of how many TCP sockets this host has.

    The numbers after `alloc` are of all hosts together.
    """
    with suppress(OSError):
        for line in path.read_bytes().splitlines():
            if line.startswith(b"TCP"):
                return line.partition(b" alloc ")[0]
    return b""


def _steady(message: bytes) -> bytes:
    """Return a message without the time until a timer fires, which moves by itself."""
    return message[: _EXPIRES.start] + message[_EXPIRES.stop :]
