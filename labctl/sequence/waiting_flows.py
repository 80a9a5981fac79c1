"""Flows in the order of a time of theirs, of which some have been given away."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

from labctl.sequence.flows import Flow

WINDOW = 64
"""Among how many flows, in the order of time, that of an open is looked for."""


class Queue:
    """`when` gives the time of a flow, `taken` whether it has been given away, for good."""

    def __init__(
        self,
        flows: Iterable[Flow],
        when: Callable[[Flow], int],
        taken: Callable[[Flow], bool],
    ) -> None:
        self._flows = sorted(flows, key=when)
        self._times = [when(flow) for flow in self._flows]
        self._taken = taken
        self._next = [*range(1, len(self._flows) + 1)]
        """Where to go on from a flow that is taken."""

    def between(self, start: int | None, until: int | None) -> list[Flow]:
        """Return the flows of a time: the first that are free, then the first at all.

        Without a `start`, the first is the first that is free; without an `until`, all are
        in time.
        """
        begin = self._free(0) if start is None else bisect_left(self._times, start)
        end = len(self._flows) if until is None else bisect_right(self._times, until)
        found: list[Flow] = []
        place = self._free(begin)
        while place < end and len(found) < WINDOW:
            found.append(self._flows[place])
            place = self._free(place + 1)
        return found + self._flows[begin : min(begin + WINDOW, end)]

    def _free(self, place: int) -> int:
        """Return the place of the first free flow from a place on."""
        passed = []
        while place < len(self._flows) and self._taken(self._flows[place]):
            passed.append(place)
            place = self._next[place]
        for number in passed:
            self._next[number] = place
        return place
