"""How strace(1) is called, so that `parse` can read what it writes. The one place for it."""

from __future__ import annotations

from labctl.sequence.verbs import FAMILIES

SHOWN = 64
"""How many bytes of each string strace shows."""

ALIASES = {
    "_newselect": "select",
    "ppoll_time64": "ppoll",
    "pselect6_time64": "pselect6",
    "recvmmsg_time64": "recvmmsg",
}
"""What strace calls calls of 32-bit programs, and their name in the man pages."""

RESTART = "restart_syscall"
"""The kernel makes a program call it to go on in a call that a stop interrupted."""

RING = "io_uring_setup"
"""What a program asks through such a ring no tracer of system calls sees."""

_LACKED = frozenset(
    {
        *("accept", "send", "recv", "sendfile", "sendfile64", "clone3", "fork", "vfork"),
        *("execveat", "waitpid", "dup2", "fcntl64", "poll", "select", "close_range"),
        *("epoll_create", "epoll_wait", "epoll_pwait2", "socketcall", RESTART, RING, *ALIASES),
    }
)
"""Calls that some architecture or some version of strace does not know."""

_HARMLESS = ("CONT", "URG", "WINCH", "STOP", "TSTP", "TTIN", "TTOU")
"""Signals that end no process that has not asked for them (signal(7))."""


def options(*, every_call: bool = False) -> list[str]:
    """Return strace's options, all but the file (`-o`) and the processes (`-p`).

    It is to trace the calls of `FAMILIES`, or with `every_call` all that there are.

    Of signals strace is to tell those that can end a process (signal(7)): without them it also
    keeps to itself that one did (`+++ killed by SIGPIPE +++`). And SIGCHLD, which a parent does
    not get that ignores it, and leaves no zombie.

    A call that some architectures or versions of strace lack has a `?` before it, so that
    strace goes on without it. `-yy` is not among them: it looks up each descriptor's address
    between a call's return and its line, and makes a connect 4 times slower.
    """
    families = [call for calls in FAMILIES.values() for call in calls]
    names = [*families, *ALIASES, "socketcall", RESTART, RING]
    known = ",".join(f"?{name}" if name in _LACKED else name for name in names)
    traced = "all" if every_call else known
    return [
        "-f",
        "-e",
        "signal=!" + ",".join(_HARMLESS),
        "--absolute-timestamps=format:unix,precision:ns",
        "--syscall-times=ns",
        "-s",
        str(SHOWN),
        "-e",
        f"trace={traced}",
    ]
