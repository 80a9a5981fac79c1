"""Families of calls: a verb of a pattern or a picture stands for all calls of its family."""

from __future__ import annotations

from collections.abc import Callable

FAMILIES: dict[str, tuple[str, ...]] = {
    "socket": ("socket",),
    "bind": ("bind",),
    "listen": ("listen",),
    "accept": ("accept", "accept4"),
    "connect": ("connect",),
    "send": ("send", "sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile", "sendfile64"),
    "recv": ("recv", "recvfrom", "recvmsg", "recvmmsg", "read", "readv"),
    "splice": ("splice", "tee", "vmsplice"),
    "shutdown": ("shutdown",),
    "close": ("close", "close_range"),
    "fork": ("fork", "vfork", "clone", "clone3"),
    "exec": ("execve", "execveat"),
    "wait": ("wait4", "waitid", "waitpid"),
    "dup": ("dup", "dup2", "dup3"),
    "fcntl": ("fcntl", "fcntl64"),
    "ioctl": ("ioctl",),
    "setsockopt": ("setsockopt",),
    "getsockopt": ("getsockopt",),
    "getsockname": ("getsockname",),
    "getpeername": ("getpeername",),
    "socketpair": ("socketpair",),
    "poll": ("poll", "ppoll", "select", "pselect6"),
    "epoll": ("epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait"),
}
"""The calls of each verb. Those that a tracer is asked for are all of these."""

UNCOUNTED = frozenset(
    {
        "setsockopt",
        "getsockopt",
        "getsockname",
        "getpeername",
        "fcntl",
        "ioctl",
        "poll",
        "epoll",
        "dup",
        "fork",
        "exec",
        "wait",
    }
)
"""Verbs that do not count in a pattern unless it names them."""


class _Verbs(dict[str, str]):
    def __missing__(self, call: str) -> str:
        return call


verb: Callable[[str], str] = _Verbs(
    {call: verb for verb, calls in FAMILIES.items() for call in calls}
).__getitem__
"""Returns the verb whose family a call belongs to; of another call, its own name.

It is asked some hundred times of each connection, so it is a look-up without a function around it.
"""
