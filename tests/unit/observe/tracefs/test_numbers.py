"""The names of Linux's numbers, against those that Python has of its C library."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import signal
import socket
import sys
import termios
from collections.abc import Mapping
from types import ModuleType

import pytest

from labctl.observe.tracefs import numbers, options
from labctl.observe.tracefs.decode import clone_flags, decode, signed
from labctl.observe.tracefs.under_way import _CALLS
from labctl.sequence.events import Value
from labctl.sequence.verbs import FAMILIES

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the numbers are Linux's")


def of(module: ModuleType, pattern: str) -> dict[str, int]:
    """Return a module's constants whose whole name matches."""
    return {name: value for name, value in vars(module).items() if re.fullmatch(pattern, name)}


def agrees(names: Mapping[int, str], constants: Mapping[str, int], least: int) -> None:
    """Check that each name that both have stands for the same number."""
    common = {name: number for number, name in names.items() if name in constants}
    assert len(common) >= least
    assert common == {name: int(constants[name]) for name in common}


@LINUX
def test_errors_are_all_there() -> None:
    for number, name in errno.errorcode.items():
        aliases = {n for n, value in vars(errno).items() if value == number}
        assert numbers.error(number) in aliases, name
    assert numbers.error(512) == "ERESTARTSYS"
    assert numbers.error(516) == "ERESTART_RESTARTBLOCK"
    assert numbers.error(4000) == "4000"


@LINUX
def test_signals_are_all_there() -> None:
    for one in signal.Signals:
        if one < 32:
            assert signal.Signals[numbers.signal(one)] is one
    assert numbers.signal(34) == "SIGRT_2"


@LINUX
def test_names_are_those_of_the_c_library() -> None:
    agrees(numbers.FAMILY, of(socket, "AF_.*"), 6)
    agrees(numbers.TYPE, of(socket, "SOCK_[A-Z]*"), 5)
    agrees(numbers.TYPE_FLAGS, of(socket, "SOCK_.*"), 2)
    agrees(numbers.PROTOCOL, of(socket, "IPPROTO_.*"), 8)
    agrees(numbers.HOW, of(socket, "SHUT_.*"), 3)
    agrees(numbers.MESSAGE, of(socket, "MSG_.*"), 10)
    agrees(numbers.FCNTL, of(fcntl, "F_.*"), 15)
    agrees(numbers.DESCRIPTOR_FLAGS, of(fcntl, "FD_.*"), 1)
    agrees(numbers.OPEN_FLAGS, of(os, "O_.*"), 4)
    agrees(numbers.EPOLL_FLAGS, of(select, "EPOLL_.*"), 1)
    agrees(numbers.EPOLL, of(select, "EPOLL_CTL_.*") or {"EPOLL_CTL_ADD": 1}, 1)
    agrees(numbers.WAIT_FOR, of(os, "P_.*"), 3)
    agrees(numbers.IOCTL, of(termios, "(TIOC|FIO|TC).*"), 4)
    agrees({n: w for n, w in numbers.WAIT.items() if w[0] == "W"}, of(os, "W[A-Z]*"), 3)


@LINUX
@pytest.mark.parametrize(("level", "least"), [(0, 8), (1, 20), (6, 10), (41, 7)])
def test_options_are_those_of_the_c_library(level: int, least: int) -> None:
    agrees(options.OPTIONS[level], of(socket, "(IP|SO|TCP|IPV6)_.*"), least)


def test_names_of_options() -> None:
    assert options.names(1, 2) == ("SOL_SOCKET", "SO_REUSEADDR")
    assert options.names(6, 1) == ("SOL_TCP", "TCP_NODELAY")
    assert options.names(41, 26) == ("SOL_IPV6", "IPV6_V6ONLY")
    assert options.names(999, 7) == ("0x3e7", "0x7")


def test_numbers_without_a_name_are_hexadecimal() -> None:
    assert numbers.word(numbers.FAMILY, 99) == "0x63"
    assert numbers.bits(numbers.MESSAGE, 0x4040 | 1 << 40) == [
        "MSG_DONTWAIT",
        "MSG_NOSIGNAL",
        "0x10000000000",
    ]
    assert numbers.bits(numbers.MESSAGE, 0) == []


def test_calls_in_which_threads_wait_are_known_ones() -> None:
    known = {call for calls in FAMILIES.values() for call in calls}
    for machine in ("x86_64", "aarch64"):
        assert set(_CALLS[machine].values()) <= known
    assert _CALLS["x86_64"][288] == _CALLS["aarch64"][242] == "accept4"
    assert _CALLS["x86_64"][45] == _CALLS["aarch64"][207] == "recvfrom"
    assert _CALLS["x86_64"][232] == "epoll_wait"


def test_a_register_holds_a_signed_int() -> None:
    assert [signed(n) for n in (3, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x80000000)] == [
        3,
        -1,
        -1,
        -(1 << 31),
    ]


CASES: list[tuple[str, list[int], int | None, dict[str, Value]]] = [
    (
        "socket",
        [2, 0x80801, 6],
        None,
        {
            "family": "AF_INET",
            "type": "SOCK_STREAM",
            "protocol": "IPPROTO_TCP",
            "flags": ["SOCK_CLOEXEC", "SOCK_NONBLOCK"],
        },
    ),
    (
        "socketpair",
        [1, 1, 0, 0x7FFC],
        None,
        {"family": "AF_UNIX", "type": "SOCK_STREAM", "protocol": 0, "flags": []},
    ),
    ("bind", [3, 0x7FFC, 16], 3, {}),
    ("listen", [3, 0xFFFFFFFF], 3, {"backlog": -1}),
    ("accept4", [3, 0, 0, 0x800], 3, {"flags": ["SOCK_NONBLOCK"]}),
    ("recvfrom", [3, 1, 10, 2, 0, 0], 3, {"length": 10, "flags": ["MSG_PEEK"]}),
    ("sendmsg", [3, 1, 0x4000], 3, {"flags": ["MSG_NOSIGNAL"]}),
    ("write", [0xFFFFFFFF, 1, 10], -1, {"length": 10}),
    ("sendfile", [4, 3, 0, 100], 4, {"from": 3, "length": 100}),
    ("splice", [3, 0, 4, 0, 9, 1], 3, {"to": 4, "length": 9, "flags": ["SPLICE_F_MOVE"]}),
    ("tee", [3, 4, 9, 0], 3, {"to": 4, "length": 9, "flags": []}),
    ("shutdown", [3, 1], 3, {"how": "SHUT_WR"}),
    ("setsockopt", [3, 1, 2, 1, 4], 3, {"level": "SOL_SOCKET", "option": "SO_REUSEADDR"}),
    ("dup2", [3, 9], 3, {"to": 9}),
    ("dup3", [3, 9, 0x80000], 3, {"to": 9, "flags": ["O_CLOEXEC"]}),
    ("close_range", [3, 0xFFFFFFFF, 4], 3, {"last": 0xFFFFFFFF, "flags": ["CLOSE_RANGE_CLOEXEC"]}),
    ("fcntl", [3, 2, 1], 3, {"command": "F_SETFD", "argument": ["FD_CLOEXEC"]}),
    ("fcntl", [3, 4, 0x802], 3, {"command": "F_SETFL", "argument": ["O_RDWR", "O_NONBLOCK"]}),
    ("fcntl", [3, 3, 0x7FFC], 3, {"command": "F_GETFL"}),
    ("ioctl", [3, 0x5421, 0x7FFC], 3, {"request": "FIONBIO"}),
    ("poll", [0x7FFC, 1, 0xFFFFFFFF], None, {"timeout_ms": -1}),
    ("epoll_ctl", [4, 1, 5, 0x7FFC], 4, {"operation": "EPOLL_CTL_ADD", "descriptor": 5}),
    ("epoll_wait", [4, 0x7FFC, 8, 100], 4, {"timeout_ms": 100}),
    (
        "clone",
        [0x1200011],
        None,
        {"flags": ["CLONE_CHILD_CLEARTID", "CLONE_CHILD_SETTID", "SIGCHLD"]},
    ),
    ("wait4", [0xFFFFFFFFFFFFFFFF, 0, 1, 0], None, {"pid": -1, "options": ["WNOHANG"]}),
    ("waitid", [1, 9, 0, 4, 0], None, {"idtype": "P_PID", "pid": 9, "options": ["WEXITED"]}),
    ("execve", [1, 2, 3], None, {}),
    ("execveat", [0xFFFFFF9C, 2, 3], None, {}),
    ("socket", [2], None, {}),
]


@pytest.mark.parametrize(("name", "values", "fd", "args"), CASES)
def test_arguments(name: str, values: list[int], fd: int | None, args: dict[str, Value]) -> None:
    assert decode(name, values) == (fd, args)


def test_flags_of_clone() -> None:
    assert clone_flags(0x10900) == {"flags": ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"]}
