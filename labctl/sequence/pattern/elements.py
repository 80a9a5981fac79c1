"""Checks the words of elements: verbs and results of calls, segments and their senders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.grammar import read
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row
from labctl.sequence.pattern.words import (
    CALLS,
    HOST,
    ICMP,
    RESULTS,
    SHARED,
    WIRE,
    errno_name,
    near,
    nearest_errno,
)
from labctl.sequence.verbs import FAMILIES, verb

Check = Callable[[Atom], Atom]


def read_calls(text: str) -> Node:
    """Return the tree of an element of a host. Raises PatternError, with an empty path."""
    return checked(read(text), call)


def read_segments(text: str) -> Node:
    """Return the tree of an element of the wire. Raises PatternError, with an empty path."""
    return checked(read(text), segment)


def checked(node: Node, check: Check) -> Node:
    """Return the tree with each atom as `check` returns it; what that raises passes through."""
    match node:
        case Atom():
            return check(node)
        case Row(parts):
            return Row(tuple(checked(part, check) for part in parts))
        case Choice(options):
            return Choice(tuple(checked(option, check) for option in options))
        case Repeat(part, least, most):
            return Repeat(checked(part, check), least, most)


def call(atom: Atom) -> Atom:
    """Return the atom of a call, its errno under one name. Raises PatternError."""
    if atom.sender is not None:
        raise PatternError(
            f"`{atom.sender}>{atom.name}`: only segments of `wire` have a sender",
            "the host is the key that the elements stand under",
        )
    if atom.name not in FAMILIES and atom.name not in CALLS:
        if atom.name in WIRE:
            raise PatternError(
                f"`{atom.name}` is a segment, not a call", "segments stand under `wire`"
            )
        hint = near(atom.name, (*FAMILIES, *CALLS)) or f"verbs: {', '.join(FAMILIES)}"
        raise PatternError(f"unknown verb `{atom.name}`", hint)
    return replace(atom, result=_result(atom))


def _result(atom: Atom) -> int | str | None:
    result = atom.result
    if result == SHARED and verb(atom.name) != "close":
        raise PatternError(f"`{atom.name}={SHARED}`: only a close can be `{SHARED}`", "remove it")
    if result is None or isinstance(result, int) or result in RESULTS:
        return result
    name = errno_name(result)
    if name is None:
        hint = near(result, RESULTS) if result.islower() else nearest_errno(result)
        known = f"a number, an errno, or: {', '.join(RESULTS)}"
        raise PatternError(f"unknown result `{result}` of `{atom.name}`", hint or known)
    return name


def segment(atom: Atom) -> Atom:
    """Return the atom of a segment as it is. Raises PatternError."""
    if atom.result is not None:
        raise PatternError(f"`{atom.name}={atom.result}`: a segment has no result", "remove it")
    if atom.name not in WIRE:
        if atom.name in FAMILIES or atom.name in CALLS:
            hint = "calls stand under the name of their host"
            raise PatternError(f"`{atom.name}` is a call, not a segment", hint)
        hint = near(atom.name, WIRE) or f"segments: {', '.join(WIRE)}"
        raise PatternError(f"unknown segment `{atom.name}`", hint)
    if atom.sender is not None and not re.fullmatch(HOST, atom.sender):
        raise PatternError(f"`{atom.sender}` is not a host's name", "write it as client>FIN")
    return atom


def is_datagram(atom: Atom) -> bool:
    """Return whether a segment is one that only UDP has."""
    return atom.name in ("datagram", "port-unreachable")


def is_tcp(atom: Atom) -> bool:
    """Return whether a segment is one that only TCP has."""
    return atom.name in WIRE and atom.name not in (*ICMP, "icmp", "datagram")
