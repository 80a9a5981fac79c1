"""What of a call or a segment a pattern can ask for: the letters of a sequence."""

from __future__ import annotations

from typing import NamedTuple

from labctl.sequence.events import Call, Segment
from labctl.sequence.pattern.syntax import Atom
from labctl.sequence.pattern.words import BLOCKED, ERROR, ICMP, ICMP_ANY, OK, SHARED
from labctl.sequence.verbs import FAMILIES


class Sign(NamedTuple):
    """A call or a segment as a pattern sees it; equal ones match the same elements.

    `verb` is a call's family, or a segment's word; `name` the call's own name. `result` is a
    number where the pattern names that number, an errno, or one of the words `ok`, `blocked`
    and `shared`. `free` signs may be passed over.
    """

    verb: str
    name: str = ""
    result: int | str | None = None
    sender: str | None = None
    free: bool = False

    @property
    def failed(self) -> bool:
        return isinstance(self.result, str) and self.result not in (OK, BLOCKED, SHARED)


class Token(NamedTuple):
    """A sign and the event that it is of."""

    sign: Sign
    event: Call | Segment


def asks_call(atom: Atom, sign: Sign) -> bool:
    """Return whether an atom asks for a call; without a result, for one that succeeded."""
    if not is_named(atom, sign.verb, sign.name):
        return False
    if atom.result in (None, OK):
        return isinstance(sign.result, int) or sign.result == OK
    if atom.result == ERROR:
        return sign.failed
    return atom.result == sign.result


def asks_any(atom: Atom, sign: Sign) -> bool:
    """Return whether an atom asks for a call; without a result, for one with any result."""
    named = is_named(atom, sign.verb, sign.name)
    return named and (atom.result is None or asks_call(atom, sign))


def asks_segment(atom: Atom, sign: Sign) -> bool:
    """Return whether an atom asks for a segment."""
    named = atom.name == sign.verb or (atom.name == ICMP_ANY and sign.verb in ICMP)
    return named and atom.sender in (None, sign.sender)


def is_named(atom: Atom, verb: str, name: str) -> bool:
    """Return whether an atom names a call, by its family or, else, by its own name."""
    return atom.name == (verb if atom.name in FAMILIES else name)
