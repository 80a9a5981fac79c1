"""Whatever strace's output looks like: no exception, and no call that ends before it starts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from labctl.observe.strace import parse
from labctl.observe.strace.decode import decode_any
from labctl.observe.strace.values import Unreadable
from labctl.sequence.verbs import FAMILIES
from tests.unit.observe.fuzzed import flipped, flips, pieces, sound, spliced
from tests.unit.observe.strace.recorded import NAMES, lines

ALL = [line for name in NAMES for line in lines(name)]
NUMBERS = st.integers(1, 40)


def check(wrong: Iterable[bytes], threads: dict[int, int] | None = None) -> None:
    found = parse(wrong, "h", threads or {})
    sound(found.calls)
    for call in found.calls:
        json.dumps(call.args)
    times = [event.time for event in found.processes]
    assert times == sorted(times)


@given(st.sampled_from(NAMES), st.integers(0, 50_000), st.integers(0, 50_000))
def test_a_piece_of_a_file(name: str, start: int, end: int) -> None:
    check(b"".join(lines(name))[start : start + end].splitlines(keepends=True))


@given(pieces(ALL, 60), flips)
def test_flipped_bytes(piece: list[bytes], places: list[tuple[int, int]]) -> None:
    check(flipped(b"".join(piece), places).split(b"\n"))


@given(pieces(ALL, 60).flatmap(st.permutations))
def test_shuffled_lines(mixed: list[bytes]) -> None:
    check(mixed)


@given(spliced(ALL), st.dictionaries(NUMBERS, NUMBERS))
def test_lines_of_all_kinds(wrong: list[bytes], threads: dict[int, int]) -> None:
    check(wrong, threads)


WORDS = ["close(3) = 0", "read(3, <unfinished ...>", "<... read resumed>", "fork() = 2"]
ENDS = ["+++ exited with 0 +++", "+++ superseded by execve in pid 3 +++", "= 0", ") = ? E"]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from([*WORDS, *ENDS])), max_size=40))
def test_threads_that_do_what_threads_cannot(told: list[tuple[int, int, str]]) -> None:
    check(f"{tid} {second}.5 {rest}".encode() for tid, second, rest in told)


@given(
    st.sampled_from(sorted({call for calls in FAMILIES.values() for call in calls})),
    st.text('[]{}(),="\\ .>0123x~|&E_a', max_size=60),
    st.text('[]{}(),="\\ .>0123x~|&E_a', max_size=20),
)
def test_arguments_of_any_kind(name: str, text: str, remark: str) -> None:
    try:
        found = decode_any(name, text, remark)
    except Unreadable:
        return
    json.dumps(found.args)
