"""Asks the kernel for its socket structures through netlink (sock_diag(7)).

What it answers is handed on as it is: labctl/observe/sockets reads it.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

# linux/netlink.h
_NETLINK_SOCK_DIAG = 4
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ERRNO = struct.Struct("=i")

# linux/sock_diag.h, linux/inet_diag.h, linux/unix_diag.h
_SOCK_DIAG_BY_FAMILY = 20
_ALL_STATES = 0xFFFFFFFF
_INET_DIAG_INFO, _INET_DIAG_SKMEMINFO = 2, 7
_INET_WANTED = 1 << (_INET_DIAG_INFO - 1) | 1 << (_INET_DIAG_SKMEMINFO - 1)
_INET_REQUEST = struct.Struct("=BBBxI48x")  # inet_diag_req_v2: family, protocol, ext, states
_UNIX_NAME, _UNIX_PEER, _UNIX_RQLEN, _UNIX_MEMINFO, _UNIX_UID = 0x1, 0x4, 0x10, 0x20, 0x40
_UNIX_WANTED = _UNIX_NAME | _UNIX_PEER | _UNIX_RQLEN | _UNIX_MEMINFO | _UNIX_UID
_UNIX_REQUEST = struct.Struct("=BBxxIIIII")  # unix_diag_req: ..., states, inode, show, cookie

_BLOCK = 1 << 16
_PATIENCE = 10.0
_UNKNOWN = (errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT)

REQUESTS: dict[str, tuple[bytes, ...]] = {
    "tcp": tuple(
        _INET_REQUEST.pack(family, socket.IPPROTO_TCP, _INET_WANTED, _ALL_STATES)
        for family in (socket.AF_INET, socket.AF_INET6)
    ),
    "udp": tuple(
        _INET_REQUEST.pack(family, socket.IPPROTO_UDP, _INET_WANTED, _ALL_STATES)
        for family in (socket.AF_INET, socket.AF_INET6)
    ),
    "unix": (_UNIX_REQUEST.pack(socket.AF_UNIX, 0, _ALL_STATES, 0, _UNIX_WANTED, 0, 0),),
}
"""What is asked for each kind of socket."""

_QUEUES_WANTED = 1 << (_INET_DIAG_SKMEMINFO - 1)
_ONE_REQUEST = struct.Struct("=BBBxI48s")
_ID = slice(4, 52)
"""Where a message has the socket's addresses, ports, interface and cookie (inet_diag_sockid)."""


def queues_request(family: int, protocol: int, states: int = _ALL_STATES) -> bytes:
    """Return what asks for the queues of all sockets in these states (a set of bits)."""
    return _INET_REQUEST.pack(family, protocol, _QUEUES_WANTED, states)


def again_request(message: bytes, protocol: int) -> bytes:
    """Return what asks for the one socket that a message was about, whatever its state."""
    return _ONE_REQUEST.pack(message[0], protocol, _QUEUES_WANTED, _ALL_STATES, message[_ID])


def dump() -> dict[str, list[bytes]]:
    """Return the message of each socket of this network namespace, by its kind.

    A kind that this kernel cannot tell of is left out. Raises OSError where it refuses.
    """
    found: dict[str, list[bytes]] = {}
    for kind, requests in REQUESTS.items():
        for request in requests:
            try:
                found.setdefault(kind, []).extend(_ask(request))
            except OSError as error:
                if error.errno not in _UNKNOWN:
                    raise
        if not found[kind]:
            del found[kind]
    return found


def _ask(request: bytes) -> list[bytes]:
    with connected() as netlink:
        return asked(netlink, request)


def connected() -> socket.socket:
    """Return a socket through which the kernel can be asked."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
    netlink.settimeout(_PATIENCE)
    return netlink


def asked(netlink: socket.socket, request: bytes, one: bool = False) -> list[bytes]:
    """Return the messages that a request is answered by; with `one`, of that one socket only.

    Raises OSError where the kernel refuses, or has not the one that is asked for.
    """
    length = _HEADER.size + len(request)
    flags = _NLM_F_REQUEST if one else _NLM_F_REQUEST | _NLM_F_DUMP
    netlink.send(_HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, flags, 1, 0) + request)
    found: list[bytes] = []
    while True:
        for kind, payload in _messages(netlink.recv(_BLOCK)):
            if kind == _NLMSG_DONE:
                return found
            if kind == _NLMSG_ERROR:
                number = -_ERRNO.unpack_from(payload)[0]
                raise OSError(number, f"sock_diag: {errno.errorcode.get(number, number)}")
            found.append(payload)
        if one and found:
            return found


def _messages(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the payload of each netlink message (netlink(7)) of a block."""
    at = 0
    while at + _HEADER.size <= len(block):
        length, kind, *_ = _HEADER.unpack_from(block, at)
        if length < _HEADER.size:
            return
        yield kind, block[at + _HEADER.size : at + length]
        at += (length + 3) & ~3
