"""Reads the arguments of a call as strace writes them. Pure; one value for each, not yet named.

A number is an int; the name of a constant, a pointer or several joined by `|` a str; a string
bytes, its escapes undone; `[a, b]` a list; `{a=b}` a dict, whose fields without a name have
their place as a name, those of `f(x)` the name f; `f(x)` an Applied; `a => b` (before and
after the call) a Changed; terms with nothing between them (`[3 4]`) a Words. Comments and the
`...` after a string are left out.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Union

Raw = Union[int, str, bytes, list["Raw"], dict[str, "Raw"], "Applied", "Changed", "Words"]


class Applied(NamedTuple):
    """`htons(80)`, `inet_addr("10.0.0.1")`."""

    name: str
    arguments: list[Raw]


class Changed(NamedTuple):
    """`128 => 16`: what the program gave and what the kernel made of it."""

    before: Raw
    after: Raw


class Words(NamedTuple):
    """`3 4` in a set of descriptors; `@"name"`."""

    terms: list[Raw]


class Unreadable(ValueError):
    """Not what strace writes."""


DEPTH = 24
"""How deep values may be nested; strace's own are at most 7 deep."""

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|\.\.\.|=>|==|[^\s",\[\]{}()=]+|[\[\]{}(),="]', re.DOTALL
)
_CLOSERS = {"[": "]", "{": "}", "(": ")"}
_ENDS = frozenset("]}),")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED_ESCAPES = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b"}


def arguments(text: str) -> tuple[list[Raw], dict[str, Raw]]:
    """Return the arguments of a call in order, and those with a name (`flags=...`) by it too.

    `text` is what stands between the brackets, each byte one character. Raises Unreadable.
    """
    tokens = [t for t in _TOKEN.findall(text) if t[:2] != "/*"]
    tokens.append("")
    items, at = _items(tokens, 0, "", 0)
    if at != len(tokens):
        raise Unreadable(text)
    return [value for _, value in items], {name: value for name, value in items if name}


def unescape(text: str) -> bytes:
    """Return the bytes of a string that strace has written with escapes as in C."""
    if "\\" in text:
        text = _ESCAPE.sub(_unescape_one, text)
    return text.encode("latin-1", "replace")


def _unescape_one(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] in "01234567":
        return chr(int(escape, 8) & 0xFF)
    if escape[0] == "x" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    return _NAMED_ESCAPES.get(escape, escape)


def _items(
    tokens: list[str], at: int, closer: str, depth: int
) -> tuple[list[tuple[str, Raw]], int]:
    """Read values, each with its name or "", up to `closer`; return the place behind it too."""
    if depth > DEPTH:
        raise Unreadable("too deep")
    items: list[tuple[str, Raw]] = []
    while (token := tokens[at]) != closer:
        if token == ",":
            at += 1
            continue
        name = ""
        if tokens[at + 1 : at + 2] == ["="]:
            name = token
            at += 2
        value, at = _value(tokens, at, depth)
        items.append((name, value))
        if tokens[at] not in (closer, ","):
            raise Unreadable(tokens[at])
    return items, at + 1


def _value(tokens: list[str], at: int, depth: int) -> tuple[Raw, int]:
    """Read one value: a term, or several in a row."""
    value, at = _term(tokens, at, depth)
    token = tokens[at]
    if not token or token in _ENDS:
        return value, at
    terms = [value]
    while (token := tokens[at]) and token not in _ENDS:
        if token == "=>":
            after, at = _value(tokens, at + 1, depth + 1)
            return Changed(terms[0], after), at
        value, at = _term(tokens, at, depth)
        terms.append(value)
    return Words(terms), at


def _term(tokens: list[str], at: int, depth: int) -> tuple[Raw, int]:
    token = tokens[at]
    first = token[:1]
    if first in "0123456789-" and first:
        return _number(token), at + 1
    if first == '"':
        if len(token) < 2:
            raise Unreadable("a string without an end")
        at += 2 if tokens[at + 1] == "..." else 1
        return unescape(token[1:-1]), at
    if token == "[":
        items, at = _items(tokens, at + 1, "]", depth + 1)
        return [value for _, value in items], at
    if token == "{":
        return _struct(tokens, at + 1, depth + 1)
    if not token or token in _ENDS or token in ("=", "=>", "("):
        raise Unreadable(token)
    if tokens[at + 1] == "(":
        items, at = _items(tokens, at + 2, ")", depth + 1)
        return Applied(token, [value for _, value in items]), at
    return token, at + 1


def _struct(tokens: list[str], at: int, depth: int) -> tuple[Raw, int]:
    items, at = _items(tokens, at, "}", depth)
    fields: dict[str, Raw] = {}
    for place, (name, value) in enumerate(items):
        if name:
            fields[name] = value
        elif value != "...":
            fields[value.name if isinstance(value, Applied) else str(place)] = value
    return fields, at


def _number(token: str) -> Raw:
    try:
        return int(token, 8 if token[0] == "0" and token.isdigit() else 0)
    except ValueError:
        return token
