"""Puts numbers in an order in which each comes after those that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

Graph = Sequence[Sequence[int]]
"""Of each number, from 0 on, to which others it leads."""


def in_order(effects: Graph) -> list[int]:
    """Return all numbers, each after its causes, and else the smaller first.

    Where causes go round in a circle, those from a greater number to a smaller are left out.
    """
    done = _kahn(effects)
    return done if len(done) == len(effects) else _kahn(_without_circles(effects))


def _kahn(effects: Graph) -> list[int]:
    """Return the numbers that are in no circle, nor after one (Kahn's algorithm)."""
    missing = [0] * len(effects)
    for following in effects:
        for other in following:
            missing[other] += 1
    ready = [number for number, count in enumerate(missing) if not count]
    heapify(ready)
    done: list[int] = []
    while ready:
        number = heappop(ready)
        done.append(number)
        for other in effects[number]:
            missing[other] -= 1
            if missing[other] == 0:
                heappush(ready, other)
    return done


def _without_circles(effects: Graph) -> list[list[int]]:
    circle = _circles(effects)
    return [
        [other for other in following if other > number or circle[other] != circle[number]]
        for number, following in enumerate(effects)
    ]


def _circles(effects: Graph) -> list[int]:
    """Return for each number which circles it is in: the same for those that lead to each other.

    These are the strongly connected components (Kosaraju's algorithm).
    """
    causes: list[list[int]] = [[] for _ in effects]
    for number, following in enumerate(effects):
        for other in following:
            causes[other].append(number)
    found = [0] * len(effects)
    seen: set[int] = set()
    for number in reversed(_walk(effects, range(len(effects)), set())):
        for member in _walk(causes, (number,), seen):
            found[member] = number
    return found


def _walk(graph: Graph, starts: Iterable[int], seen: set[int]) -> list[int]:
    """Return what is reached from the starts, in the order in which a depth-first walk leaves it.

    It does not enter what is `seen`, and adds to that what it has entered.
    """
    done: list[int] = []
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(graph[start]))]
        while path:
            number, following = path[-1]
            fresh = next((other for other in following if other not in seen), None)
            if fresh is None:
                done.append(number)
                path.pop()
            else:
                seen.add(fresh)
                path.append((fresh, iter(graph[fresh])))
    return done
