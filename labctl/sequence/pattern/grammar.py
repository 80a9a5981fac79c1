"""Reads the text of an element: `recv+`, `connect=ECONNREFUSED`, `(recv send)+|close`.

    choice   = row *( "|" row )
    row      = 1*( unit )
    unit     = ( atom / "(" choice ")" ) [ "+" / "*" / "?" / "{" n [ "," [ m ] ] "}" ]
    atom     = [ host ">" ] word [ "=" result ]

It knows the form only; `labctl.sequence.pattern.elements` knows the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from labctl.sequence.pattern.errors import PatternError
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row

MAX_DEPTH = 20
MAX_TIMES = 1000
MAX_TEXT = 10_000

_TOKEN = re.compile(
    r"""\s*(?: (?P<word> (?:[\w.-]+>)? [\w.-]+ (?:=[\w.-]*)? )
             | (?P<bounds> \{\s*\d{1,6}\s*(?:,\s*(?:\d{1,6})?\s*)?\} )
             | (?P<sign> [()|+*?] ) )""",
    re.VERBOSE | re.ASCII,
)
_QUANTIFIERS = {"+": (1, None), "*": (0, None), "?": (0, 1)}
_FORM = "write it as recv, recv+, recv=0, connect=ECONNREFUSED or (recv send)+"


@dataclass
class _Reader:
    tokens: list[str]
    at: int = 0
    depth: int = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]


def read(text: str) -> Node:
    """Return the tree that a text stands for. Raises PatternError, with an empty path."""
    if len(text) > MAX_TEXT:
        raise PatternError(f"longer than {MAX_TEXT} letters", "use several elements")
    reader = _Reader(_tokens(text))
    if not reader.tokens:
        raise PatternError("an empty element", "remove it, or write a verb such as `recv`")
    tree = _choice(reader)
    if reader.next:
        raise PatternError(f'"{text}": a `)` without its `(`', _FORM)
    return tree


def _tokens(text: str) -> list[str]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            odd = text[at:].lstrip()[0]
            raise PatternError(f'"{text}": `{odd}` has no meaning here', _FORM)
        found.append(token[0].strip())
        at = token.end()
    return found


def _choice(reader: _Reader) -> Node:
    options = [_row(reader)]
    while reader.next == "|":
        reader.take()
        options.append(_row(reader))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _row(reader: _Reader) -> Node:
    parts = []
    while reader.next and reader.next not in ("|", ")"):
        parts.append(_unit(reader))
    if not parts:
        raise PatternError("nothing stands where an element should", _FORM)
    return parts[0] if len(parts) == 1 else Row(tuple(parts))


def _unit(reader: _Reader) -> Node:
    token = reader.take()
    part: Node
    if token == "(":
        part = _group(reader)
    elif _repeats(token):
        raise PatternError(f"`{token}` stands behind nothing that it could repeat", _FORM)
    else:
        part = _atom(token)
    if _repeats(reader.next):
        part = Repeat(part, *_bounds(reader.take()))
    if _repeats(reader.next):
        raise PatternError(
            f"`{reader.next}` repeats what is repeated already", "put that in `(` and `)` first"
        )
    return part


def _repeats(token: str) -> bool:
    return token in _QUANTIFIERS or token.startswith("{")


def _group(reader: _Reader) -> Node:
    reader.depth += 1
    if reader.depth > MAX_DEPTH:
        raise PatternError(f"more than {MAX_DEPTH} groups within each other", "simplify it")
    part = _choice(reader)
    if reader.next != ")":
        raise PatternError("a `(` without its `)`", _FORM)
    reader.take()
    reader.depth -= 1
    return part


def _bounds(token: str) -> tuple[int, int | None]:
    if token in _QUANTIFIERS:
        return _QUANTIFIERS[token]
    first, comma, second = (part.strip() for part in token[1:-1].partition(","))
    least = int(first)
    most = least if not comma else int(second) if second else None
    if most is not None and (most < least or most == 0):
        raise PatternError(f"`{token}`: at least {least} and at most {most} times", _FORM)
    if max(least, most or 0) > MAX_TIMES:
        raise PatternError(f"`{token}`: more than {MAX_TIMES} times", "use `+` or `*`")
    return least, most


def _atom(token: str) -> Atom:
    sender, arrow, rest = token.rpartition(">")
    name, equals, result = rest.partition("=")
    if equals and not result:
        raise PatternError(f"`{token}`: a result is missing behind the `=`", _FORM)
    asked = int(result) if re.fullmatch(r"-?[0-9]{1,18}", result) else result
    return Atom(name, asked if equals else None, sender if arrow else None)
