"""Reads the names of instants, as `before` has them: `server.listen.return`."""

from __future__ import annotations

import re

from labctl.sequence.pattern import elements
from labctl.sequence.pattern.choosing import shown
from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.grammar import read
from labctl.sequence.pattern.model import Instant
from labctl.sequence.pattern.syntax import Atom
from labctl.sequence.pattern.words import HOST, near

OF_CALL = ("call", "return")
OF_SEGMENT = ("sent", "received")
_FORM = "server.listen.return, client.connect.call, server.ACK.received or client.SYN.sent"


def read_chain(value: object) -> tuple[list[Instant], list[PatternError]]:
    """Return the instants of one item of `before`, and what is wrong with it."""
    hint = "before: [[server.listen.return, client.connect.call]]"
    if not isinstance(value, list | tuple) or len(value) < 2:
        return [], [PatternError("must be a list of two instants or more", hint)]
    found, errors = [], []
    for i, item in enumerate(value):
        try:
            found.append(read_instant(item))
        except PatternError as error:
            errors.append(error.below(i))
    return ([] if errors else found), errors


def read_instant(value: object) -> Instant:
    """Return the instant that a text names. Raises PatternError, with an empty path."""
    parts = value.split(".") if isinstance(value, str) else []
    if len(parts) != 3:
        word = shown(value).strip('"')
        raise PatternError(f"`{word}` is not HOST.CALL.WHEN", f"write it as {_FORM}")
    host, word, kind = parts
    if not re.fullmatch(HOST, host):
        raise PatternError(f"`{host}` is not a host's name", f"write it as {_FORM}")
    if kind not in OF_CALL + OF_SEGMENT:
        known = "call or return of a call, sent or received of a segment"
        raise PatternError(f"unknown instant `{kind}`", near(kind, OF_CALL + OF_SEGMENT) or known)
    node = read(word)
    if not isinstance(node, Atom):
        raise PatternError(f"`{word}`: one call or segment by itself", f"write it as {_FORM}")
    check = elements.call if kind in OF_CALL else elements.segment
    return Instant(host, check(node), kind, str(value))
