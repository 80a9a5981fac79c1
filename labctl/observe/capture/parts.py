"""What arrived of a segment that was split or joined on its way, and what did not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from labctl.observe.capture.link import Way
from labctl.observe.capture.passages import Passage
from labctl.observe.capture.seen import Place, Seen


class Part(NamedTuple):
    """The bytes of a segment from `start` to `end`, all of which went the same way.

    `seen` has one for each place, in the order of time. `joined` is of how many segments of
    the wire it was seen to be made; 1 where it was seen as one everywhere.
    """

    start: int
    end: int
    seen: list[Seen]
    joined: int


def parts(passage: Passage) -> Iterator[Part]:
    """Yield the parts of a segment that arrived, and those that did not."""
    if passage.whole:
        yield Part(passage.start, passage.end, [seen for _, _, seen in passage.parts], 1)
        return
    goal = max(passage.parts, key=lambda part: part[2].time)[2].place
    edges = [passage.start, *_edges(passage, goal), passage.end]
    for start, end in pairwise(edges):
        if start < end:
            yield _part(passage, start, end)


def _edges(passage: Passage, goal: Place) -> Iterator[int]:
    """Yield where, of the bytes that came to a place, a gap begins or ends."""
    reached = passage.start
    for start, end, seen in sorted(passage.parts, key=lambda part: part[:2]):
        if seen.place == goal:
            if start > reached:
                yield from (reached, start)
            reached = max(reached, end)
    yield reached


def _part(passage: Passage, start: int, end: int) -> Part:
    places: dict[Place, list[tuple[int, int, Seen]]] = defaultdict(list)
    for part in passage.parts:
        if part[0] < end and part[1] > start:
            places[part[2].place].append(part)
    seen = [_one([part[2] for part in there]) for there in places.values()]
    seen.sort(key=lambda one: one.time)
    joined = max(sum(_inside(p, start, end) for p in there) for there in places.values())
    return Part(start, end, seen, max(joined, 1))


def _inside(part: tuple[int, int, Seen], start: int, end: int) -> bool:
    return start <= part[0] and part[1] <= end


def _one(seen: list[Seen]) -> Seen:
    """Return one for all that a place saw of a segment.

    It has arrived with the last of its bytes; it was sent, or sent on, with the first.
    """
    if len(seen) == 1:
        return seen[0]
    order = sorted(seen, key=lambda one: one.time)
    chosen = order[-1] if seen[0].place[2] is Way.IN else order[0]
    numbers = sorted({number for one in seen for number in one.frames})
    return chosen._replace(frames=tuple(numbers))
