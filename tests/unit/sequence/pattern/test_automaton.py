"""The automaton agrees with Python's `re` on letters, and does no more work than it must."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.pattern.automaton import Automaton
from labctl.sequence.pattern.grammar import read
from labctl.sequence.pattern.positions import count as positions
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Repeat, Row

LETTERS = "abc"
TIMES = [(1, None), (0, None), (0, 1), (2, 2), (1, 3), (0, 2), (2, None)]


def trees(letters: str = LETTERS) -> st.SearchStrategy[Node]:
    return st.recursive(
        st.sampled_from(letters).map(Atom),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Row(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Choice(tuple(parts))),
            st.builds(lambda part, times: Repeat(part, *times), inner, st.sampled_from(TIMES)),
        ),
        max_leaves=6,
    )


def expression(node: Node) -> str:
    """Return the regular expression of `re` that means the same on letters."""
    match node:
        case Atom(name):
            return name
        case Row(parts):
            return "".join(f"(?:{expression(part)})" for part in parts)
        case Choice(options):
            return "|".join(f"(?:{expression(option)})" for option in options)
        case Repeat(part, least, most):
            return f"(?:{expression(part)}){{{least},{'' if most is None else most}}}"


def reference(elements: Sequence[Node]) -> re.Pattern[str]:
    return re.compile("".join(f"(?:{expression(node)})" for node in elements))


def automaton(elements: Sequence[Node], free: str = "") -> Automaton[str]:
    return Automaton(
        elements, lambda atom, sign: atom.name == sign, lambda sign: sign in free and sign != ""
    )


def matches(made: Automaton[str], word: str) -> bool:
    count, state = made.run(word)
    return count == len(word) and made.ends(state)


def completed(made: Automaton[str], word: str) -> str:
    """Return a shortest word that begins with this one and matches."""
    words, known = [word], set[int]()
    for one in words:
        _, state = made.run(one)
        if made.ends(state):
            return one
        if state not in known:
            known.add(state)
            names = {atom.name for p in made.expected(state) if (atom := made.atoms[p])}
            words += [one + name for name in sorted(names)]
    raise AssertionError(f"{word} leads nowhere")


def every(letters: str, longest: int) -> Iterator[str]:
    for length in range(longest + 1):
        yield from map("".join, itertools.product(letters, repeat=length))


@given(st.lists(trees(), min_size=1, max_size=3))
def test_it_matches_what_re_matches(elements: list[Node]) -> None:
    made, wanted = automaton(elements), reference(elements)
    for word in every(LETTERS, 4):
        assert matches(made, word) == bool(wanted.fullmatch(word)), word


@given(st.lists(trees(), min_size=1, max_size=3), st.text(alphabet=LETTERS, max_size=30))
def test_it_matches_what_re_matches_on_long_words(elements: list[Node], word: str) -> None:
    assert matches(automaton(elements), word) == bool(reference(elements).fullmatch(word))


@given(st.lists(trees("aF"), min_size=1, max_size=2), st.text(alphabet="abF", max_size=7))
def test_signs_that_are_free_may_be_passed_over(elements: list[Node], word: str) -> None:
    wanted = reference(elements)
    free = [place for place, letter in enumerate(word) if letter == "F"]
    left = (
        "".join(letter for place, letter in enumerate(word) if place not in dropped)
        for count in range(len(free) + 1)
        for dropped in itertools.combinations(free, count)
    )
    assert matches(automaton(elements, "F"), word) == any(map(wanted.fullmatch, left))


@given(st.lists(trees(), min_size=1, max_size=3), st.text(alphabet=LETTERS, max_size=8))
def test_the_first_difference_is_where_no_more_can_follow(elements: list[Node], word: str) -> None:
    made, wanted = automaton(elements), reference(elements)
    count, state = made.run(word)
    if count < len(word):
        for more in every(LETTERS, 4):
            assert not wanted.fullmatch(word[: count + 1] + more)
        names = {atom.name for p in made.expected(state) if (atom := made.atoms[p])}
        assert word[count] not in names
    assert wanted.fullmatch(completed(made, word[:count]))


@given(
    st.lists(trees("abF"), min_size=1, max_size=3),
    st.text(alphabet="abF", max_size=12),
    st.sampled_from(["", "F"]),
)
def test_the_path_is_one_way_through_the_pattern(
    elements: list[Node], word: str, free: str
) -> None:
    made = automaton(elements, free)
    count, _ = made.run(word)
    path, state = made.path(word[:count])
    assert len(path) == count
    passed = "".join(x for x, place in zip(word, path, strict=False) if place is not None)
    for letter, place in zip(word, path, strict=False):
        atom = made.atoms[place] if place is not None else None
        assert atom.name == letter if atom is not None else letter in free
    # The letters that were matched are read alone up to the same end.
    assert made.run(passed)[0] == len(passed)
    assert made.run(word[:count])[1] & state == state != 0
    steps = [0, *(place for place in path if place is not None)]
    for before, after in itertools.pairwise(steps):
        assert after in made.expected(1 << before)
    elements_of = [made.element[place] for place in steps[1:]]
    assert elements_of == sorted(elements_of)


@pytest.mark.parametrize(
    ("wanted", "word", "path", "next_one"),
    [
        ("a F b", "aF", [1, 2], "b"),
        ("a b", "aF", [1, None], "b"),
        ("a F F b", "aF", [1, 2], "F"),
        ("a (F c|b d)", "aFb", [1, None, 4], "d"),  # matching the F would lead nowhere
    ],
)
def test_what_is_asked_for_is_passed_over_only_where_it_must_be(
    wanted: str, word: str, path: list[int | None], next_one: str
) -> None:
    made = automaton([read(wanted)], "F")
    found, state = made.path(word)
    assert found == path
    atoms = [made.atoms[position] for position in made.expected(state)]
    assert [atom.name for atom in atoms if atom] == [next_one]


@pytest.mark.parametrize(
    ("written", "count"),
    [("a", 1), ("a+", 1), ("a*", 1), ("a{3}", 3), ("a{2,}", 2), ("(a|b c){0,4}", 12)],
)
def test_how_many_positions(written: str, count: int) -> None:
    node = read(written)
    assert positions(node) == count == len(automaton([node]).atoms) - 1


def test_an_empty_pattern_matches_nothing_but_nothing() -> None:
    made = automaton([])
    assert matches(made, "") and not matches(made, "a")
    assert made.expected(made.run("a")[1]) == []


def test_each_step_is_worked_out_once() -> None:
    asked: list[str] = []

    def asks(atom: Atom, sign: str) -> bool:
        asked.append(sign)
        return atom.name == sign

    made: Automaton[str] = Automaton([read("a"), read("(b|c)+"), read("a")], asks)
    word = "a" + "bc" * 5000 + "a"
    for _ in range(100):
        assert made.run(word)[0] == len(word)
    assert len(asked) == len(made.atoms[1:]) * len(set(word))


def test_no_pattern_makes_it_slow() -> None:
    # (a?){n} a{n} takes a backtracking matcher 2^n steps.
    made = automaton([read("(a?){200}"), read("a{200}")])
    assert matches(made, "a" * 200) and matches(made, "a" * 400)
    assert not matches(made, "a" * 199) and not matches(made, "a" * 401)
