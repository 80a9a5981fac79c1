"""Matchings: each item gets one of its choices, and as many items as can."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.matching import DEPTH, Matching


class Thing:
    """Something that is told apart by identity only."""


def matched(wishes: Sequence[Sequence[int]], things: Sequence[Thing]) -> list[int | None]:
    """Return which thing each item was given, by its number."""
    items = [Thing() for _ in wishes]
    wanted = {id(i): [things[n] for n in w] for i, w in zip(items, wishes, strict=True)}
    matching: Matching[Thing, Thing] = Matching(lambda item: wanted[id(item)])
    matching.match(items)
    given_ = [matching.given.get(id(item)) for item in items]
    return [None if thing is None else things.index(thing) for thing in given_]


def test_the_first_choice_where_it_is_free() -> None:
    assert matched([[1, 0], [0, 1]], [Thing(), Thing()]) == [1, 0]


def test_an_earlier_decision_makes_room() -> None:
    assert matched([[0, 1], [0]], [Thing(), Thing()]) == [1, 0]


def test_what_has_no_choice_gets_nothing() -> None:
    assert matched([[0], [0], []], [Thing()]) == [0, None, None]


def test_what_is_certain_is_not_taken_away() -> None:
    sure, other, thing = Thing(), Thing(), Thing()
    matching: Matching[Thing, Thing] = Matching(lambda item: [thing])
    matching.take(sure, thing)
    matching.match([other])
    assert matching.taken(thing)
    assert matching.given == {id(sure): thing}


def test_a_chain_longer_than_the_depth_is_given_up() -> None:
    size = 4 * DEPTH
    wishes = [[n, n + 1] for n in range(size)]
    assert matched([*wishes, [0]], [Thing() for _ in range(size + 1)])[-1] is None


@given(st.lists(st.lists(st.integers(0, 4), max_size=4, unique=True), max_size=5))
def test_as_many_as_can_are_given_one_of_their_choices(wishes: list[list[int]]) -> None:
    found = matched(wishes, [Thing() for _ in range(5)])
    taken = [choice for choice in found if choice is not None]
    assert len(taken) == len(set(taken))
    assert all(c is None or c in w for c, w in zip(found, wishes, strict=True))
    most = max(
        sum(c in w for c, w in zip(order, wishes, strict=False)) for order in permutations(range(5))
    )
    assert len(taken) == most
