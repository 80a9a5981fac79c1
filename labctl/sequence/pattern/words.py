"""The words of the language: keys, verbs and calls, segments, results."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches

from labctl.sequence.verbs import FAMILIES

KEYS = ("wire", "never", "before", "port", "protocol", "connections")
"""Keys of a pattern that are no hosts."""

HOST = r"[a-z0-9][a-z0-9_-]*"
"""What a host's name looks like, as in a lab file."""

OK = "ok"
ERROR = "error"
BLOCKED = "blocked"
SHARED = "shared"
RESULTS = {
    OK: "the call did what was asked; the same as no result",
    ERROR: "the call failed, with any errno",
    BLOCKED: "the call never returned",
    SHARED: "a close that left another descriptor of the socket open",
}

SEGMENTS = ("SYN", "SYN-ACK", "ACK", "data", "FIN", "RST")
"""Of TCP (RFC 9293, 3.1)."""

DATAGRAM = "datagram"
ICMP = {
    "port-unreachable": ("port unreachable",),
    "host-unreachable": ("host unreachable",),
    "network-unreachable": ("network unreachable", "net unreachable"),
    "protocol-unreachable": ("protocol unreachable",),
    "prohibited": ("prohibited", "admin prohibited", "communication administratively"),
    "fragmentation-needed": ("fragmentation needed", "need to frag", "packet too big"),
    "time-exceeded": ("time exceeded", "ttl exceeded", "hop limit exceeded"),
}
"""The words of ICMP errors (RFC 792, RFC 1812, 5.2.7.1), each with how `Segment.about` begins."""

ICMP_ANY = "icmp"
WIRE = (*SEGMENTS, DATAGRAM, ICMP_ANY, *ICMP)

CALLS = frozenset(call for calls in FAMILIES.values() for call in calls)

_ERRNOS = frozenset(name for name in vars(errno) if name.startswith("E"))
_ALIASES = {"EWOULDBLOCK": "EAGAIN", "ENOTSUP": "EOPNOTSUPP", "EDEADLOCK": "EDEADLK"}


def errno_name(word: str) -> str | None:
    """Return the errno that a word names, under the name that tracers give it, or None."""
    return _ALIASES.get(word, word) if word in _ERRNOS else None


def nearest_errno(word: str) -> str:
    """Return a hint for a word that is no errno."""
    return near(word.upper(), _ERRNOS) or "an errno is written as ECONNREFUSED; see errno(3)"


def near_key(word: str, others: Iterable[str] = ()) -> str:
    """Return "did you mean ...?" where a key of patterns is very near, and none of the others
    is nearer: `server` is no `never`."""
    hint = near(word, KEYS, 0.8)
    return hint if near(word, [*others, *KEYS]) == hint else ""


def near(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "did you mean ...?" where a known word is near, otherwise an empty text."""
    by_folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), list(by_folded), n=1, cutoff=cutoff)
    return f"did you mean `{by_folded[found[0]]}`?" if found else ""
