"""The calls in which threads already were when they began to be followed. Pure.

The trace has no entry of them. The observer has read them from proc_pid_syscall(5): by number,
which differs from one kind of processor to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from labctl.observe.tracefs.lines import Line

EVENT = b"labctl_under_way"
"""What our own event is called; its text is the name of the call and its arguments."""

_NAMES = (
    *("read", "write", "readv", "writev", "sendfile", "close", "accept", "accept4", "connect"),
    *("sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg"),
    *("splice", "tee", "vmsplice", "wait4", "waitid", "ppoll", "pselect6", "epoll_pwait"),
    *("poll", "select", "epoll_wait"),
)
"""Calls in which a thread can stay."""
_X86_64 = "0 1 19 20 40 3 43 288 42 44 45 46 47 307 299 275 276 278 61 247 271 270 281 7 23 232"
_ARM64 = "63 64 65 66 71 57 202 242 203 206 207 211 212 269 243 76 77 75 260 95 73 72 22"
_CALLS = {
    machine: {int(number): name for number, name in zip(numbers.split(), _NAMES, strict=False)}
    for machine, numbers in (("x86_64", _X86_64), ("aarch64", _ARM64))
}
"""By the machine's name (uname(2)) and the number of the call."""


def lines(marks: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    """Yield an event of our own for each, at the moment after which it was surely there."""
    for mark in marks:
        since, told = mark.get("since"), mark.get("under_way")
        names = _CALLS.get(str(mark.get("machine")), {})
        for tid, call in told.items() if isinstance(told, dict) else ():
            match call:
                case [int(number), *values] if number in names and _are_numbers(tid, values):
                    text = " ".join([names[number], *map(str, values)]).encode()
                    if isinstance(since, int):
                        yield Line(since, int(tid), 0, False, "", None, None, EVENT, text)


def read(text: bytes) -> tuple[str, list[int]]:
    """Return the name and the arguments of a call from the text of such an event."""
    name, *values = text.decode().split()
    return name, [int(value) for value in values]


def _are_numbers(tid: object, values: list[object]) -> bool:
    return re.fullmatch("[0-9]{1,10}", str(tid)) is not None and all(
        isinstance(value, int) and 0 <= value < 1 << 64 for value in values
    )
