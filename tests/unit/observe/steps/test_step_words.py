"""Calls as strace(1) writes them."""

from __future__ import annotations

import socket
import struct

import pytest

from labctl.observe.steps import words
from labctl.observe.steps.model import StepCall

from .told import sockaddr

HERE = sockaddr("10.0.0.1", 80)
WRITTEN = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}'
SIX = struct.pack("=H", socket.AF_INET6) + struct.pack(
    ">HI16sI", 80, 0, socket.inet_pton(socket.AF_INET6, "::1"), 0
)
MINUS_ONE = (1 << 64) - 1


def call(name: str, *args: int, result: int | None = 0, **memory: bytes) -> StepCall:
    return StepCall(name, (*args, *(0,) * (6 - len(args))), memory, result)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            call("socket", 2, 1 | 0o2000000, 0, result=3),
            "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3",
        ),
        (call("socket", 16, 3, 0, result=3), "socket(AF_NETLINK, SOCK_RAW, 0) = 3"),
        (call("socket", 99, 1, 0, result=-97), "socket(0x63, SOCK_STREAM, 0) = -1 EAFNOSUPPORT"),
        (call("bind", 3, 1, 16, address=HERE), f"bind(3, {WRITTEN}, 16) = 0"),
        (
            call("connect", 3, 1, 28, address=SIX, result=-111),
            'connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_addr="::1"}, 28)'
            " = -1 ECONNREFUSED",
        ),
        (
            call("connect", 3, 1, 8, address=b"\1\0/run/x\0\0", result=-2),
            'connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 8) = -1 ENOENT',
        ),
        (call("bind", 3, 1, 4, address=b"\2\0"), "bind(3, {sa_family=AF_INET}, 4) = 0"),
        (call("bind", 3, 0, 4, result=-14), "bind(3, NULL, 4) = -1 EFAULT"),
        (call("listen", 3, 5), "listen(3, 5) = 0"),
        (call("accept", 3, 0, 0, result=4), "accept(3, NULL, NULL) = 4"),
        (
            call("accept4", 3, 1, 1, 0o2000000, result=4, address=HERE),
            f"accept4(3, {WRITTEN}, [16], SOCK_CLOEXEC) = 4",
        ),
        (call("accept4", 3, 1, 1, 0, result=None), "accept4(3, ..., ..., 0)"),
        (
            call("accept4", 3, 1, 1, 0, result=-512),
            "accept4(3, ..., ..., 0), interrupted by a signal",
        ),
        (
            call("sendto", 4, 1, 6, 0x4000, result=6, data=b'a"\n\\\0\xff'),
            'sendto(4, "a\\"\\n\\\\\\x00\\xff", 6, MSG_NOSIGNAL, NULL, 0) = 6',
        ),
        (
            call("sendto", 4, 1, 900, 0, 1, 16, result=900, data=b"ab", address=HERE),
            f'sendto(4, "ab"..., 900, 0, {WRITTEN}, 16) = 900',
        ),
        (call("recvfrom", 4, 1, 99, result=0), 'recvfrom(4, "", 99, 0, NULL, NULL) = 0'),
        (call("recvfrom", 4, 1, 99, result=None), "recvfrom(4, ..., 99, 0, NULL, NULL)"),
        (call("read", 4, 1, 99, result=-104), "read(4, ..., 99) = -1 ECONNRESET"),
        (call("write", 4, 1, 2, result=2, data=b"ok"), 'write(4, "ok", 2) = 2'),
        (call("sendmsg", 4, 1, 0, result=9), "sendmsg(4, ..., 0) = 9"),
        (
            call("setsockopt", 3, 1, 2, 1, 4, value=b"\1\0\0\0"),
            "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
        ),
        (
            call("setsockopt", 3, 1, 13, 1, 8, value=struct.pack("=ii", 1, 0)),
            "setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0",
        ),
        (
            call("setsockopt", 3, 1, 20, 1, 16, value=struct.pack("=qq", 5, 250)),
            "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, {tv_sec=5, tv_usec=250}, 16) = 0",
        ),
        (call("shutdown", 3, 1), "shutdown(3, SHUT_WR) = 0"),
        (call("close", MINUS_ONE, result=-9), "close(-1) = -1 EBADF"),
        (call("dup", 4, result=5), "dup(4) = 5"),
        (call("dup3", 4, 1, 0o2000000, result=1), "dup3(4, 1, O_CLOEXEC) = 1"),
        (call("fcntl", 3, 4, 0o4002), "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
        (call("fcntl", 3, 1030, 0, result=7), "fcntl(3, F_DUPFD_CLOEXEC, 0) = 7"),
        (call("fcntl", 3, 2, 1), "fcntl(3, F_SETFD, FD_CLOEXEC) = 0"),
        (call("ioctl", 3, 0x5421, 1, value=b"\1\0\0\0"), "ioctl(3, FIONBIO, [1]) = 0"),
        (call("close_range", 3, 0xFFFFFFFF, 0), "close_range(3, 4294967295, 0) = 0"),
        (call("sendfile", 4, 5, 0, 900, result=900), "sendfile(4, 5, ..., 900) = 900"),
        (call("fork", result=8), "fork() = 8"),
        (
            call("clone", 0x1200011, result=8),
            "clone(flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD) = 8",
        ),
        (call("clone3", 1, 88, result=8, flags=b"\0\x41" + bytes(6)), "clone3(flags="),
        (call("recvmmsg", 3, 1, 2, result=2), "recvmmsg(3) = 2"),
    ],
)
def test_text(one: StepCall, text: str) -> None:
    written = words.text(one)
    assert written.startswith(text) if text.endswith("flags=") else written == text


def test_the_verb_is_the_textbooks_word() -> None:
    names = ("accept4", "recvfrom", "read", "sendto", "clone", "dup3")
    assert [call(name).verb for name in names] == ["accept", "recv", "recv", "send", "fork", "dup"]


def test_the_error_is_named_only_where_it_failed() -> None:
    assert words.error(call("bind", result=-98)) == "EADDRINUSE"
    assert words.error(call("bind")) is None
    assert words.error(call("accept", result=None)) is None
    assert words.error(call("accept", result=-512)) is None
