"""Puts moments in an order that no cause contradicts, and tells which have one at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from labctl.sequence.moment_key import Cause, key_of
from labctl.sequence.moments import NEAR, Moment, Order
from labctl.sequence.sorting import in_order


class Ordering:
    """`moments` are in an order that keeps all causes, and apart from that the order of time.

    A pair that the clocks contradict by more than `NEAR` is no cause: there, something was
    taken for something else. Nor is one that closes a circle of causes. `doubted` is how many
    there were. `latest` has when calls had returned at the latest, by their `id`.
    """

    def __init__(
        self,
        by_time: Sequence[Moment],
        causes: Iterable[Cause],
        latest: Mapping[int, int] | None = None,
    ) -> None:
        effects, self.doubted = _effects(by_time, causes, latest or {})
        numbers = in_order(effects)
        new = [0] * len(numbers)
        for position, number in enumerate(numbers):
            new[number] = position
        self.moments = tuple([by_time[number] for number in numbers])
        self._times = [*accumulate((moment.time for moment in self.moments), max)]
        """When each was at the earliest: its own time, or that of what caused it if later."""
        self._effects = [[new[other] for other in effects[number]] for number in numbers]
        self.doubted += self._drop_circles()
        self._position = {id(moment): number for number, moment in enumerate(self.moments)}

    def order(self, first: Moment, second: Moment) -> Order:
        """Tell which of two moments came first, if anything does.

        That is the one that causes the other, over whatever is between them; of moments
        further apart than `NEAR`, the one that the clock says.
        """
        one, other = self._position[id(first)], self._position[id(second)]
        if one < other:
            return Order.BEFORE if self._precedes(one, other) else Order.UNORDERED
        return Order.AFTER if self._precedes(other, one) else Order.UNORDERED

    def _precedes(self, one: int, other: int) -> bool:
        return self._times[other] - self._times[one] > NEAR or self._leads(one, other)

    def _leads(self, cause: int, effect: int) -> bool:
        seen, waiting = {cause}, [cause]
        while waiting:
            for following in self._effects[waiting.pop()]:
                if following == effect:
                    return True
                if following < effect and following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return False

    def _drop_circles(self) -> int:
        """Take out, and count, the causes that the order could not keep."""
        dropped = 0
        for number, following in enumerate(self._effects):
            if following and min(following) < number:
                kept = [other for other in following if other > number]
                dropped += len(following) - len(kept)
                self._effects[number] = kept
        return dropped


def _effects(
    by_time: Sequence[Moment], causes: Iterable[Cause], latest: Mapping[int, int]
) -> tuple[list[list[int]], int]:
    """Return which moments each leads to, and how many causes the clocks deny."""
    place = {key_of(moment): number for number, moment in enumerate(by_time)}
    times = [moment.time for moment in by_time]
    bounds = [
        latest.get(id(moment.event), moment.time) if moment.kind == "return" else moment.time
        for moment in by_time
    ]
    effects: list[list[int]] = [[] for _ in by_time]
    doubted = 0
    for first, second in causes:
        one, other = place.get(first), place.get(second)
        if one is None or other is None or one == other:
            continue
        if times[one] > bounds[other] + NEAR:
            doubted += 1
        else:
            effects[one].append(other)
    return effects, doubted
