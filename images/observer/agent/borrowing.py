"""Borrows a descriptor of a process, to ask the kernel about the socket behind it.

Only so can one learn of a socket that has no address yet: sock_diag(7) does not tell of it.
A borrowed socket cannot be closed by its owner until it is given back, so it is asked a few
things and given back at once.
"""

from __future__ import annotations

import base64
import ctypes
import fcntl
import os
import socket
import struct
import sys
import termios
from contextlib import suppress
from typing import Any

_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same on all architectures (syscalls(2))
_SO_COOKIE = 57  # asm-generic/socket.h
_TCP_INFO_SIZE = 512
_OPTIONS = ("SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_BROADCAST")
_NAMED = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)

_libc = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: int) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def borrow(pid: int, descriptor: int) -> int:
    """Return a descriptor of our own for what a process's descriptor stands for.

    Raises OSError where the process or its descriptor is gone, PermissionError where the
    kernel refuses (pidfd_getfd(2)).
    """
    process = _call(_PIDFD_OPEN, pid, 0)
    try:
        return _call(_PIDFD_GETFD, process, descriptor, 0)
    finally:
        os.close(process)


def ask(pid: int, descriptor: int, inode: int) -> dict[str, Any] | None:
    """Return what the kernel tells of a process's socket; None where it is another one now.

    Raises OSError as `borrow` does.
    """
    with socket.socket(fileno=borrow(pid, descriptor)) as borrowed:
        if os.fstat(borrowed.fileno()).st_ino != inode:
            return None
        return describe(borrowed)


def describe(one: socket.socket) -> dict[str, Any]:
    """Return the fields of a socket, each as the kernel has it; what it does not tell is None.

    Nothing is asked whose asking changes the socket (as SO_ERROR does).
    """
    named = one.family in _NAMED
    protocol = one.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
    told: dict[str, Any] = {
        "family": int(one.family),
        "type": int(one.type),
        "protocol": protocol,
        "local": _name(one.getsockname()) if named else None,
        "remote": _remote(one) if named else None,
        "receive_buffer": one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
        "send_buffer": one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF),
        "listening": one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) != 0,
        "receive_queue": _queue(one, termios.FIONREAD),
        "send_queue": _queue(one, termios.TIOCOUTQ),
        "options": _options(one),
        "cookie": None,
        "tcp_info": None,
    }
    with suppress(OSError):
        cookie = one.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, 8)
        told["cookie"] = int.from_bytes(cookie, sys.byteorder)
    if protocol == socket.IPPROTO_TCP:
        info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        told["tcp_info"] = base64.b64encode(info).decode()
    return told


def _remote(one: socket.socket) -> list[Any] | str | None:
    with suppress(OSError):  # ENOTCONN
        return _name(one.getpeername())
    return None


def _name(name: Any) -> list[Any] | str:
    """Return an address and a port, or a path; an abstract name begins with @ (unix(7))."""
    if isinstance(name, bytes):
        return "@" + name[1:].decode(errors="replace")
    if isinstance(name, str):
        return name
    return list(name[:2])


def _queue(one: socket.socket, request: int) -> int | None:
    """Return how many bytes wait (tcp(7), SIOCINQ and SIOCOUTQ); a listener has none."""
    with suppress(OSError):
        return int(struct.unpack("=i", fcntl.ioctl(one, request, bytes(4)))[0])
    return None


def _options(one: socket.socket) -> list[str]:
    """Return the names of the options that are set, of those that a socket may have."""
    found = []
    for name in _OPTIONS:
        with suppress(OSError):
            if one.getsockopt(socket.SOL_SOCKET, getattr(socket, name)):
                found.append(name)
    with suppress(OSError):
        if one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY):
            found.append("TCP_NODELAY")
    return found
