"""What a figure writes on a call: `accept(3) = 4`, `recv × 812, 1.3 GB`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import NamedTuple

from labctl.sequence.arguments import words
from labctl.sequence.events import Call, Value
from labctl.sequence.verbs import verb
from labctl.show.figure.units import plain, shorten, size

_AS_WRITTEN = {
    "accept4": "accept",
    "sendfile64": "sendfile",
    "fcntl64": "fcntl",
    "clone": "fork",
    "clone3": "fork",
    "vfork": "fork",
    "execve": "exec",
    "execveat": "exec",
    "wait4": "wait",
    "waitid": "wait",
}
"""Calls under which the kernel sees another that a program made."""

BROKEN_OFF = frozenset({"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK"})
"""Errnos that the kernel keeps to itself (include/linux/errno.h): a signal broke the call off.
The program sees the call again, EINTR, or nothing any more."""

_DATA = ("data", "buffer", "buf")
_LONGEST_DATA = 24
_MOVES_BYTES = frozenset({"send", "recv", "splice"})


class CallWords(NamedTuple):
    """A call in words. `inside` has what stands in the brackets, from the fullest to none."""

    name: str
    inside: tuple[str, ...]
    result: str

    def fit(self, most: int) -> str:
        """Return the fullest text of at most `most` characters; the result is cut last."""
        for inside in self.inside:
            text = f"{self.name}({inside}){self.result}"
            if len(text) <= most:
                return text
        short = f"{self.name}{self.result}"
        return short if len(short) <= most else shorten(self.name, most)


def call_words(call: Call, datagram: bool = False) -> CallWords:
    """Return a call in words; `datagram` where it is on a socket of datagrams."""
    return CallWords(call_name(call, datagram), _inside(call), _result(call))


def call_name(call: Call, datagram: bool = False) -> str:
    """Return the name that the program most probably wrote: accept for accept4, fork for clone.

    The C library makes recv a recvfrom without an address, and send a sendto. With datagrams
    the address of a recvfrom is known only once it returns, so that it keeps its name.
    """
    plain_one = not datagram and not call.args.get("address")
    if call.name in ("recvfrom", "sendto") and plain_one:
        return "recv" if call.name == "recvfrom" else "send"
    return _AS_WRITTEN.get(call.name, plain(call.name))


def _inside(call: Call) -> tuple[str, ...]:
    """Return the arguments, the descriptor first: all, then those that matter, then that."""
    first = [] if call.fd is None else [str(call.fd)]
    if verb(call.name) == "socket":
        return _kinds(call)
    told = [(name, _value(name, value)) for name, value in call.args.items()]
    told = [(name, text) for name, text in told if text]
    every = [text for _, text in told]
    main = [text for name, text in told if name == "address" or name in _DATA]
    bare = [_bare(text) for text in main]
    levels = [", ".join([*first, *some]) for some in (every, main, bare, [])]
    return tuple(dict.fromkeys(levels))


def _kinds(call: Call) -> tuple[str, ...]:
    told = [_value(name, value) for name, value in call.args.items()]
    types = words(call, "type")
    name = next((short for kind, short in _SHORT if kind in types), "")
    levels = [", ".join(text for text in told if text), name, ""]
    return tuple(dict.fromkeys(levels if name else [levels[0], ""]))


_SHORT = (("SOCK_STREAM", "stream"), ("SOCK_DGRAM", "datagram"), ("SOCK_RAW", "raw"))


def _bare(text: str) -> str:
    """Return an address without the host where that is the wildcard: `:8080`."""
    return text.removeprefix("0.0.0.0") if text.startswith("0.0.0.0:") else text


def _value(name: str, value: Value) -> str:
    """Return an argument in words; empty where it says nothing."""
    if value is None or value is False or value in ([], {}, ""):
        return ""
    if name in _DATA and isinstance(value, str):
        return '"' + shorten(plain(value), _LONGEST_DATA) + '"'
    if isinstance(value, list):
        return "|".join(_value("", one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{plain(key)}={_value('', one)}" for key, one in value.items())
    return plain(str(value))


def _result(call: Call) -> str:
    if call.errno is not None:
        return "" if call.errno in BROKEN_OFF else f" {plain(call.errno)}"
    if call.result is None:
        return ""
    if verb(call.name) == "recv" and call.result == 0:
        return " = 0, end"
    # Success without a value says nothing that the next call does not.
    if call.result == 0 and verb(call.name) not in _MOVES_BYTES:
        return ""
    return f" = {call.result}"


def outcome(call: Call) -> str:
    """Return how a call ended, apart from its value: an errno, `end` of data, or nothing."""
    if call.errno is not None:
        return "interrupted" if call.errno in BROKEN_OFF else plain(call.errno)
    return "end" if verb(call.name) == "recv" and call.result == 0 else ""


def fold_words(calls: Iterable[Call], datagram: bool = False) -> tuple[str, ...]:
    """Return one line for each kind of call among many: `recv × 812, 1.3 GB`."""
    counts: dict[str, tuple[int, int]] = {}
    for call in calls:
        name = " ".join(filter(None, (call_name(call, datagram), outcome(call))))
        moved = max(call.result or 0, 0) if verb(call.name) in _MOVES_BYTES else 0
        count, total = counts.get(name, (0, 0))
        counts[name] = count + 1, total + moved
    return tuple(
        f"{name} × {count:,}" + (f", {size(total)}" if total else "")
        for name, (count, total) in counts.items()
    )


def meaning(name: str) -> str:
    """Return what an errno means, in the C library's words; empty for an unknown one."""
    number = getattr(errno, name, None)
    return os.strerror(number) if isinstance(number, int) else ""
