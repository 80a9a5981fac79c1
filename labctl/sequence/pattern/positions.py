"""Positions of a pattern, and which may follow which (Glushkov's construction).

Each atom of the pattern is a position; a set of positions is a whole number with one bit for
each. Position 0 is the start, where nothing has been matched yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row

START = 1

MAX_POSITIONS = 1000


def count(node: Node) -> int:
    """Return how many positions the automaton of a tree has."""
    match node:
        case Atom():
            return 1
        case Row(parts) | Choice(parts):
            return sum(map(count, parts))
        case Repeat(part, least, most):
            return count(part) * max(least, most or 1, 1)


@dataclass(frozen=True, slots=True)
class _Part:
    empty: bool
    first: int
    last: int


_NOTHING = _Part(True, 0, 0)


class Positions:
    """The positions of elements that follow each other.

    `atoms` has the atom of each position, `element` the number of the element that it is of,
    `follow` the set of positions that may come after it. A match may end in `ends`.
    """

    def __init__(self, elements: Sequence[Node]) -> None:
        self.atoms: list[Atom | None] = [None]
        self.element: list[int] = [-1]
        self.follow: list[int] = [0]
        whole = _NOTHING
        for number, node in enumerate(elements):
            whole = self._joined(whole, self._build(node))
            self.element += [number] * (len(self.atoms) - len(self.element))
        self.follow[0] = whole.first
        self.ends = whole.last | (START if whole.empty else 0)

    def _build(self, node: Node) -> _Part:
        match node:
            case Atom():
                self.atoms.append(node)
                self.follow.append(0)
                bit = 1 << (len(self.atoms) - 1)
                return _Part(False, bit, bit)
            case Row(parts):
                whole = _NOTHING
                for part in parts:
                    whole = self._joined(whole, self._build(part))
                return whole
            case Choice(options):
                built = [self._build(option) for option in options]
                first = last = 0
                for one in built:
                    first, last = first | one.first, last | one.last
                return _Part(any(one.empty for one in built), first, last)
            case Repeat(part, least, most):
                return self._repeated(part, least, most)

    def _repeated(self, part: Node, least: int, most: int | None) -> _Part:
        whole = _NOTHING
        for _ in range(least - 1 if most is None else least):
            whole = self._joined(whole, self._build(part))
        if most is None:
            again = self._build(part)
            self._connect(again.last, again.first)
            return self._joined(whole, _Part(again.empty or not least, again.first, again.last))
        optional = _NOTHING
        for _ in range(most - least):  # as in (a (a (a)?)?)?
            one = self._build(part)
            optional = self._joined(optional, _Part(True, one.first, one.last))
        return self._joined(whole, optional)

    def _joined(self, one: _Part, other: _Part) -> _Part:
        self._connect(one.last, other.first)
        return _Part(
            one.empty and other.empty,
            one.first | (other.first if one.empty else 0),
            other.last | (one.last if other.empty else 0),
        )

    def _connect(self, sources: int, targets: int) -> None:
        for position in bits(sources):
            self.follow[position] |= targets


def bits(number: int) -> Iterator[int]:
    """Yield the positions of a set, from the first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
