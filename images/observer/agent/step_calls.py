"""The calls after which a program is stopped: their numbers, and what of their memory is told.

Numbers are those of the kernel's own tables (arch/*/entry/syscalls, asm-generic/unistd.h).
"""

from __future__ import annotations

from dataclasses import dataclass

_X86_64, _AARCH64 = 0xC000003E, 0xC00000B7  # AUDIT_ARCH_* (linux/audit.h)

_BOTH: dict[str, tuple[int, int | None]] = {
    # name: (number of x86-64, of arm64); None where it is not there
    "socket": (41, 198),
    "socketpair": (53, 199),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "connect": (42, 203),
    "shutdown": (48, 210),
    "setsockopt": (54, 208),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "sendmmsg": (307, 269),
    "recvmmsg": (299, 243),
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "sendfile": (40, 71),
    "splice": (275, 76),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
}

NAMES: dict[int, dict[int, str]] = {
    arch: {number: name for name, both in _BOTH.items() if (number := both[at]) is not None}
    for at, arch in enumerate((_X86_64, _AARCH64))
}
"""The calls by architecture and number."""

MAKES = frozenset({"socket", "socketpair"})
FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
EXECS = frozenset({"execve", "execveat"})
MESSAGES = frozenset({"sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg"})
ALWAYS = MESSAGES | {"bind", "listen", "accept", "accept4", "connect", "shutdown", "setsockopt"}
"""Calls that only a socket is for: told of also where the descriptor is none."""
MOVES = MESSAGES | {"read", "write", "readv", "writev", "sendfile", "splice"}
"""Calls whose result is how much was moved."""
SECOND = {"dup2": 1, "dup3": 1, "sendfile": 1, "splice": 2}
"""Which other argument may name a socket, too."""

_F_DUPFD, _F_SETFD, _F_SETFL, _F_DUPFD_CLOEXEC = 0, 2, 4, 1030
_IOCTLS = (0x5421, 0x5450, 0x5451)  # FIONBIO, FIONCLEX, FIOCLEX
TELLING = {
    "fcntl": (_F_DUPFD, _F_SETFD, _F_SETFL, _F_DUPFD_CLOEXEC),
    "ioctl": _IOCTLS,
}
"""Calls of which only some commands change the table."""

CLONE_THREAD = 0x10000
_SHOWN, _LONGEST_ADDRESS = 48, 128


@dataclass(frozen=True)
class Part:
    """Memory that a call points at: argument `at`, as long as argument `length` says.

    Where `points`, that argument is a pointer to the length; where it is None, the call's result.
    `filled` by the kernel: there only when the call has returned.
    """

    name: str
    at: int
    length: int | None
    most: int
    points: bool = False
    filled: bool = False


def _address(at: int) -> Part:
    return Part("address", at, at + 1, _LONGEST_ADDRESS)


def _peer(at: int) -> Part:
    return Part("address", at, at + 1, _LONGEST_ADDRESS, points=True, filled=True)


_OUT = Part("data", 1, 2, _SHOWN)
_IN = Part("data", 1, None, _SHOWN, filled=True)

PARTS: dict[str, tuple[Part, ...]] = {
    "bind": (_address(1),),
    "connect": (_address(1),),
    "accept": (_peer(1),),
    "accept4": (_peer(1),),
    "sendto": (_OUT, _address(4)),
    "recvfrom": (_IN, _peer(4)),
    "write": (_OUT,),
    "read": (_IN,),
    "setsockopt": (Part("value", 3, 4, 32),),
    "ioctl": (Part("value", 2, -1, 4),),
    "execve": (Part("path", 0, -1, 256),),
    "clone3": (Part("flags", 0, -1, 8),),
}
"""What is told of each call's memory; a `length` of -1 is `most`."""
