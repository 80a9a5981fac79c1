"""Numbers put in order by what leads to what, with hypothesis; circles too."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.sorting import in_order


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(1, 30))
    number = st.integers(0, size - 1)
    effects: list[list[int]] = [[] for _ in range(size)]
    for one, other in draw(st.lists(st.tuples(number, number), max_size=60)):
        effects[one].append(other)
    return effects


def reach(effects: list[list[int]], start: int) -> set[int]:
    """Return all numbers that one leads to, over others."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        for other in effects[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def test_without_causes_the_order_is_kept() -> None:
    assert in_order([[], [], []]) == [0, 1, 2]
    assert in_order([]) == []


def test_what_waits_for_nothing_is_not_held_up() -> None:
    assert in_order([[], [], [], [1]]) == [0, 2, 3, 1]


def test_the_smallest_of_a_circle_comes_first() -> None:
    """Here 0 waits for the circle of 1, 2 and 3, but is not in it."""
    assert in_order([[], [2, 0], [3], [1]]) == [1, 0, 2, 3]


@given(graphs())
def test_every_number_is_there_once(effects: list[list[int]]) -> None:
    assert sorted(in_order(effects)) == [*range(len(effects))]


@given(graphs())
def test_only_a_circle_lets_an_effect_come_before_its_cause(effects: list[list[int]]) -> None:
    places = {number: place for place, number in enumerate(in_order(effects))}
    for cause, following in enumerate(effects):
        for effect in following:
            if places[effect] <= places[cause]:
                assert cause in reach(effects, effect)


@given(graphs())
def test_what_numbers_agree_with_is_kept_in_circles_too(effects: list[list[int]]) -> None:
    places = {number: place for place, number in enumerate(in_order(effects))}
    for cause, following in enumerate(effects):
        assert all(places[cause] < places[effect] for effect in following if effect > cause)


def test_a_long_circle_is_no_trouble() -> None:
    size = 50_000
    assert in_order([[(n + 1) % size] for n in range(size)]) == [*range(size)]
