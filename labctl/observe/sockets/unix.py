"""Reads the messages about AF_UNIX sockets (sock_diag(7), linux/unix_diag.h)."""

from __future__ import annotations

import struct

from labctl.observe.sockets import names
from labctl.observe.sockets.fields import attributes, number, unpack
from labctl.observe.sockets.model import EMPTY, KernelSocket, SocketAddress

_MESSAGE = struct.Struct("=3BxIQ")  # unix_diag_msg: family, type, state, inode, cookie
_NAME, _PEER, _RQLEN, _MEMINFO = 0, 2, 4, 5
_RCVBUF, _SNDBUF, _DROPS = 1, 3, 8


def read(message: bytes) -> KernelSocket:
    """Return the socket that a message is about. Raises Malformed where it is about none."""
    family, kind, state_number, inode, cookie = unpack(_MESSAGE, message)
    told = attributes(message[_MESSAGE.size :])
    state = names.state("", state_number)
    listening = state == "LISTEN"
    receive, send = number(told, _RQLEN, 0), number(told, _RQLEN, 1)
    return KernelSocket(
        inode=inode,
        cookie=cookie,
        family=names.family(family),
        type=names.socket_type(kind),
        protocol="",
        state=state,
        local=_name(told.get(_NAME)),
        receive_queue=None if listening else receive,
        send_queue=None if listening else send,
        accept_queue=receive if listening else None,
        backlog=send if listening else None,
        receive_buffer=number(told, _MEMINFO, _RCVBUF),
        send_buffer=number(told, _MEMINFO, _SNDBUF),
        dropped=number(told, _MEMINFO, _DROPS),
        peer=number(told, _PEER) or None,
    )


def _name(told: bytes | None) -> SocketAddress:
    """Return the path, or @NAME of an abstract one, which begins with a zero byte (unix(7))."""
    if not told:
        return EMPTY
    if told[:1] == b"\0":
        return SocketAddress("@" + told[1:].decode(errors="replace"))
    return SocketAddress(told.rstrip(b"\0").decode(errors="replace") or None)
