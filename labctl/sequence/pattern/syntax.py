"""What a pattern's elements are once their text is read: a tree, and back to text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Atom:
    """One call or one segment that is asked for.

    `name` is a verb, a call's own name or a segment's word. `result` is what stands behind
    the `=`: a number, an errno, or one of the words of `labctl.sequence.pattern.words`; None
    where nothing does. `sender` is the host in front of a segment's `>`.
    """

    name: str
    result: int | str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Parts that follow each other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts of which one is there."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that is there `least` to `most` times; `most` None: as often as it likes."""

    part: Node
    least: int
    most: int | None


Node = Atom | Row | Choice | Repeat

_SIGNS = {(1, None): "+", (0, None): "*", (0, 1): "?"}


def atoms(node: Node) -> Iterator[Atom]:
    """Yield the atoms of a tree, from left to right."""
    match node:
        case Atom():
            yield node
        case Row(parts) | Choice(parts):
            for part in parts:
                yield from atoms(part)
        case Repeat(part):
            yield from atoms(part)


def text(node: Node) -> str:
    """Return the text that is read as this tree."""
    match node:
        case Atom(name, result, sender):
            asked = "" if result is None else f"={result}"
            return f"{f'{sender}>' if sender else ''}{name}{asked}"
        case Row(parts):
            return " ".join(
                f"({text(part)})" if isinstance(part, Choice) else text(part) for part in parts
            )
        case Choice(options):
            return "|".join(map(text, options))
        case Repeat(part, least, most):
            inner = text(part) if isinstance(part, Atom) else f"({text(part)})"
            return inner + (_SIGNS.get((least, most)) or _bounds(least, most))


def _bounds(least: int, most: int | None) -> str:
    if least == most:
        return f"{{{least}}}"
    return f"{{{least},{'' if most is None else most}}}"
