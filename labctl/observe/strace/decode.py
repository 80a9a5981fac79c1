"""What the arguments of each call are decoded to: docs/events.md has the table. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from labctl.observe.strace import messages, processes, sockets, waiting
from labctl.observe.strace.options import SHOWN
from labctl.observe.strace.plain import Asked, flags
from labctl.observe.strace.values import Unreadable, arguments, unescape
from labctl.sequence.events import Value
from labctl.sequence.verbs import FAMILIES

_DECODERS: dict[str, Callable[[Asked], dict[str, Value]]] = {
    **sockets.DECODERS,
    **messages.DECODERS,
    **waiting.DECODERS,
    **processes.DECODERS,
}

_KNOWN = frozenset({*_DECODERS, *(call for calls in FAMILIES.values() for call in calls)})
"""Calls of which more is told than their name."""

_WITHOUT_DESCRIPTOR = frozenset(
    {
        *("socket", "socketpair", "poll", "ppoll", "select", "pselect6"),
        *("epoll_create", "epoll_create1", "fork", "vfork", "clone", "clone3"),
        *("execve", "wait4", "waitid", "waitpid"),
    }
)
"""Calls whose first argument is no descriptor."""

_ATTEMPTS = 40
"""How often arguments are shortened: a string has at most 64 commas, and few have that many."""

_DATA = re.compile(
    r'(-?\d{1,10}), "((?:[^"\\]|\\.)*)"(?:\.\.\.)?, (\d{1,10})'
    r"(?:, (0|[A-Z][A-Z_|]*)(?:, NULL, (?:NULL|0))?)?",
    re.DOTALL | re.ASCII,
)
"""A descriptor, data, its length, and perhaps flags: half of all lines."""

_MOVE_DATA = frozenset({"read", "write", "send", "recv", "sendto", "recvfrom"})


class Decoded(NamedTuple):
    fd: int | None
    args: dict[str, Value]


def decode(name: str, text: str, remark: str) -> Decoded:
    """Return the descriptor that a call names first, and its other arguments.

    `text` is what strace has written between the brackets, `remark` what it has in brackets
    behind the result. Nobody may change what is returned. Raises Unreadable.
    """
    if name in _MOVE_DATA and (match := _DATA.fullmatch(text)):
        return _data(*match.groups())
    return decode_any(name, text, remark)


def _data(fd: str, data: str, length: str, flagged: str | None) -> Decoded:
    shown = unescape(data)[:SHOWN].decode("latin-1")
    args: dict[str, Value] = {"length": int(length), "data": shown}
    if flagged is not None:
        args["flags"] = [] if flagged == "0" else flags(flagged)
    return Decoded(int(fd), args)


@lru_cache(maxsize=4096)
def decode_any(name: str, text: str, remark: str) -> Decoded:
    """Do the work of `decode` without its short cut.

    Programs make the same call over and over, so the last ones are kept.
    """
    if name not in _KNOWN:
        return Decoded(None, {})
    values, names = arguments(text)
    fd = None
    if values and name not in _WITHOUT_DESCRIPTOR and isinstance(values[0], int):
        fd = values[0]
    decoder = _DECODERS.get(name)
    return Decoded(fd, decoder(Asked(values, names, remark)) if decoder else {})


def as_far_as_possible(name: str, text: str) -> Decoded:
    """Return what can be read of the arguments up to one that cannot."""
    for _ in range(_ATTEMPTS):
        text, comma, _ = text.rpartition(",")
        try:
            return decode(name, text, "")
        except Unreadable:
            if not comma:
                break
    return Decoded(None, {})
