"""Matches a sequence in one pass: a position automaton, simulated on sets of positions.

Sets of positions and the steps between them are remembered, so that after a few connections a
step is one look-up. There is no backtracking: time is linear in the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from labctl.sequence.pattern.positions import START, Positions, bits
from labctl.sequence.pattern.syntax import Atom, Node

Sign = TypeVar("Sign")


class Automaton(Generic[Sign]):
    """Matches sequences of signs against the elements of one host or of the wire.

    `asks` tells whether an atom asks for a sign; `free` whether a sign may also be passed over.
    """

    def __init__(
        self,
        elements: Sequence[Node],
        asks: Callable[[Atom, Sign], bool],
        free: Callable[[Sign], bool] = lambda sign: False,
    ) -> None:
        made = Positions(elements)
        self.atoms, self.element = made.atoms, made.element
        self._follow, self._ends = made.follow, made.ends
        self._asks, self._free = asks, free
        self._reach: dict[int, int] = {}
        self._masks: dict[Sign, int] = {}
        self._steps: dict[tuple[int, Sign], int] = {}

    def run(self, signs: Sequence[Sign]) -> tuple[int, int]:
        """Return how many signs could be matched, and the set of positions after them."""
        state, steps = START, self._steps
        for count, sign in enumerate(signs):
            after = steps.get((state, sign))
            if after is None:
                after = self._step(state, sign)
            if not after:
                return count, state
            state = after
        return len(signs), state

    def ends(self, state: int) -> bool:
        """Return whether a sequence may end in this set."""
        return bool(state & self._ends)

    def expected(self, state: int) -> list[int]:
        """Return the positions that may come next, in the order of the pattern."""
        return list(bits(self._after(state)))

    def path(self, signs: Sequence[Sign]) -> tuple[list[int | None], int]:
        """Return which position each of these signs was matched by, and the set after them.

        None is for a sign that was passed over; where it can be helped none is. The signs must
        be those that `run` has counted. Of several ways it is one to the earliest positions.
        """
        states = self._states(signs, eager=True)
        if not states[-1]:
            states = self._states(signs, eager=False)
        found: list[int | None] = []
        at = next(bits(states[-1]))
        for index in range(len(signs) - 1, -1, -1):
            sign, earlier = signs[index], states[index]
            before = [p for p in bits(earlier) if self._follow[p] >> at & 1]
            if before and self._mask(sign) >> at & 1:
                found.append(at)
                at = before[-1] if before[-1] <= at else before[0]
            else:
                found.append(None)
        return found[::-1], states[-1]

    def _states(self, signs: Sequence[Sign], *, eager: bool) -> list[int]:
        """Return the set before each sign, and the last one.

        Where it is `eager`, a sign that can be matched is not passed over as well.
        """
        states = [START]
        for sign in signs:
            matched = self._after(states[-1]) & self._mask(sign)
            states.append(matched if eager and matched else self._step(states[-1], sign))
        return states

    def _step(self, state: int, sign: Sign) -> int:
        after = self._after(state) & self._mask(sign)
        if self._free(sign):
            after |= state
        self._steps[state, sign] = after
        return after

    def _after(self, state: int) -> int:
        found = self._reach.get(state)
        if found is None:
            found = 0
            for position in bits(state):
                found |= self._follow[position]
            self._reach[state] = found
        return found

    def _mask(self, sign: Sign) -> int:
        found = self._masks.get(sign)
        if found is None:
            found = 0
            for position, atom in enumerate(self.atoms):
                if atom is not None and self._asks(atom, sign):
                    found |= 1 << position
            self._masks[sign] = found
        return found
