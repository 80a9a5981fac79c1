"""An ordering as such, of any moments and any causes, with hypothesis."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.events import ProcessEvent
from labctl.sequence.moment_key import Cause, key_of
from labctl.sequence.moments import NEAR, Moment, Order
from labctl.sequence.ordering import Ordering


def moments_at(*times: int) -> list[Moment]:
    return [
        Moment(time, "at", ProcessEvent("host", number, number, "exit", time))
        for number, time in enumerate(times)
    ]


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Moment], list[Cause]]:
    times = draw(st.lists(st.integers(0, 6).map(lambda n: n * NEAR // 2), min_size=1, max_size=12))
    moments = moments_at(*sorted(times))
    keys = st.sampled_from([key_of(moment) for moment in moments])
    return moments, draw(st.lists(st.tuples(keys, keys), max_size=20))


@given(told())
def test_moments_are_a_permutation_of_all(story: tuple[list[Moment], list[Cause]]) -> None:
    made = Ordering(*story)
    assert sorted(map(id, made.moments)) == sorted(map(id, story[0]))


@given(told())
def test_order_is_antisymmetric_and_agrees_with_moments(
    story: tuple[list[Moment], list[Cause]],
) -> None:
    made = Ordering(*story)
    for one, other in combinations(made.moments, 2):
        there, back = made.order(one, other), made.order(other, one)
        assert there in (Order.BEFORE, Order.UNORDERED)
        assert (there is Order.BEFORE) == (back is Order.AFTER)
        assert (there is Order.UNORDERED) == (back is Order.UNORDERED)
    assert all(made.order(one, one) is Order.UNORDERED for one in made.moments)


@given(told())
def test_order_is_transitive(story: tuple[list[Moment], list[Cause]]) -> None:
    made = Ordering(*story)
    for one, two, three in combinations(made.moments, 3):
        if made.order(one, two) is made.order(two, three) is Order.BEFORE:
            assert made.order(one, three) is Order.BEFORE


@given(told())
def test_every_cause_is_kept_or_counted(story: tuple[list[Moment], list[Cause]]) -> None:
    moments, causes = story
    made = Ordering(moments, causes)
    by_key = {key_of(moment): moment for moment in moments}
    pairs = [(by_key[one], by_key[other]) for one, other in causes if one != other]
    broken = [pair for pair in pairs if made.order(*pair) is not Order.BEFORE]
    assert len(broken) <= made.doubted


def test_a_circle_is_broken_where_the_clocks_say_so() -> None:
    moments = moments_at(0, 10, 20)
    keys = [key_of(moment) for moment in moments]
    made = Ordering(moments, [(keys[0], keys[1]), (keys[1], keys[2]), (keys[2], keys[0])])
    assert [*made.moments] == moments
    assert made.doubted == 1


def test_what_waited_for_a_late_cause_is_after_what_that_was_after() -> None:
    """The effect's own stamp is before the second moment, which its cause comes after."""
    moments = moments_at(0, NEAR // 2, NEAR)
    effect, other, cause = moments
    made = Ordering(moments, [(key_of(cause), key_of(effect))])
    assert [*made.moments] == [other, cause, effect]
    assert made.order(cause, effect) is Order.BEFORE
    assert made.order(effect, other) is Order.UNORDERED


def test_a_chain_of_late_causes_outweighs_a_clock_that_is_far_off() -> None:
    step = NEAR - 1
    moments = moments_at(0, step, 2 * step, 3 * step)
    keys = [key_of(moment) for moment in moments]
    made = Ordering(moments, [(keys[n + 1], keys[n]) for n in range(3)])
    assert [*made.moments] == moments[::-1]
    assert made.order(moments[3], moments[0]) is Order.BEFORE
    assert made.doubted == 0
