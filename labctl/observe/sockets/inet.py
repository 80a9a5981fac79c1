"""Reads the messages about TCP and UDP sockets (sock_diag(7), linux/inet_diag.h)."""

from __future__ import annotations

import struct
from socket import AF_INET, AF_INET6, inet_ntop

from labctl.observe.sockets import names, tcpinfo
from labctl.observe.sockets.fields import Malformed, attributes, number, unpack
from labctl.observe.sockets.model import KernelSocket, SocketAddress, Timer

_MESSAGE = struct.Struct("=4B2s2s16s16sIQ5I")
"""inet_diag_msg: family, state, timer, attempts; source and target port and address,
interface, cookie; when the timer fires, receive queue, send queue, user, inode."""
_INFO, _SKMEMINFO = 2, 7
_RMEM_ALLOC, _RCVBUF, _SNDBUF, _WMEM_QUEUED, _DROPS = 0, 1, 3, 5, 8
"""SK_MEMINFO_* (linux/sock_diag.h)."""
_TYPES = {"tcp": "SOCK_STREAM", "udp": "SOCK_DGRAM"}


def read(message: bytes, protocol: str) -> KernelSocket:
    """Return the socket that a message of the dump of a protocol (tcp, udp) is about.

    Raises Malformed where it is about none.
    """
    head = unpack(_MESSAGE, message)
    family, state_number, timer, attempts, *name = head[:10]
    expires, receive, send, _user, inode = head[10:]
    told = attributes(message[_MESSAGE.size :])
    state = names.state(protocol, state_number)
    listening = state == "LISTEN"
    info = told.get(_INFO)
    return KernelSocket(
        inode=inode,
        cookie=name[5],
        family=names.family(family),
        type=_TYPES[protocol],
        protocol=protocol,
        state=state,
        local=_address(family, name[2], name[0]),
        remote=_address(family, name[3], name[1]),
        receive_queue=None if listening else receive,
        send_queue=None if listening else send,
        accept_queue=receive if listening else None,
        backlog=send if listening else None,
        receive_buffer=number(told, _SKMEMINFO, _RCVBUF),
        send_buffer=number(told, _SKMEMINFO, _SNDBUF),
        dropped=number(told, _SKMEMINFO, _DROPS),
        timer=Timer(names.TIMERS.get(timer, str(timer)), expires, attempts) if timer else None,
        tcp=None if info is None or listening else tcpinfo.read(info),
    )


def memory(message: bytes) -> tuple[int | None, int | None]:
    """Return how many bytes of memory the receive and the send queue take, with what the kernel
    needs for itself; that is what SO_RCVBUF and SO_SNDBUF limit (socket(7)).

    Raises Malformed where the message is about no socket.
    """
    unpack(_MESSAGE, message)
    told = attributes(message[_MESSAGE.size :])
    return number(told, _SKMEMINFO, _RMEM_ALLOC), number(told, _SKMEMINFO, _WMEM_QUEUED)


def _address(family: int, address: bytes, port: bytes) -> SocketAddress:
    if family == names.AF_INET:
        text = inet_ntop(AF_INET, address[:4])
    elif family == names.AF_INET6:
        text = inet_ntop(AF_INET6, address)
    else:
        raise Malformed(f"a message about a socket of {names.family(family)}")
    return names.internet(text, int.from_bytes(port, "big"))
