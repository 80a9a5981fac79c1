"""Whatever the trace looks like: no exception, and no call that ends before it starts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from labctl.observe.tracefs import Follow, parse
from tests.unit.observe.fuzzed import flipped, flips, pieces, sound, spliced
from tests.unit.observe.tracefs.made import MAIN, Trace
from tests.unit.observe.tracefs.recorded import NAMES, follows, lines

ALL = [line for name in (*NAMES, "attached") for line in lines(name)]
FOLLOWS = follows(ALL)


def check(wrong: Iterable[bytes], told: list[Follow] = FOLLOWS) -> None:
    found = parse(wrong, told, {"127.0.0.1": "h"})
    sound(found.calls)
    for call in found.calls:
        json.dumps(call.args)
    for events in (found.processes, found.states):
        times = [event.time for event in events]
        assert times == sorted(times)


@given(pieces(ALL, 80), st.integers(0, 5_000))
def test_a_piece_of_a_file(piece: list[bytes], end: int) -> None:
    check(b"".join(piece)[:-end].splitlines(keepends=True))


@given(pieces(ALL, 80), flips)
def test_flipped_bytes(piece: list[bytes], places: list[tuple[int, int]]) -> None:
    check(flipped(b"".join(piece), places).split(b"\n"))


@given(pieces(ALL, 80).flatmap(st.permutations))
def test_shuffled_lines(mixed: list[bytes]) -> None:
    check(mixed)


@given(spliced(ALL))
def test_lines_of_all_kinds(wrong: list[bytes]) -> None:
    check(wrong)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = ("ahead", "skipped", "follow", "tasks", "at", "since", "under_way", "machine", "lost", "cut")


@given(st.dictionaries(st.sampled_from(KEYS), json_values), st.booleans())
def test_marks_of_any_kind(mark: dict[str, object], known: bool) -> None:
    trace = Trace()
    trace.follow()
    trace.mark(**({"follow": MAIN, "machine": "x86_64"} if known else {}) | mark)
    trace.call(MAIN, "close", 3)
    check(trace.lines, trace.follows)


EVENTS = [
    *(
        "sys_close(fd: 0x3)",
        "sys_close -> 0x0",
        "sys_read(fd: 0x3)",
        "sys_read -> 0xfffffffffffffe00",
    ),
    *("sys_restart_syscall()", "sys_restart_syscall -> 0x0", "sys_poll -> 0xfffffffffffffdfc"),
    "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0",
    "sys_clone3(uargs: 0x1)",
    "sys_clone3 -> 0x2",
    "task_newtask: pid=1001 comm=x clone_flags=10f00 oom_score_adj=0",
    "sched_process_fork: comm=x pid=1000 child_comm=x child_pid=1001",
    "sched_process_exec: filename=/a pid=1000 old_pid=1001",
    "sched_process_exec: filename=/a pid=1001 old_pid=1000",
    "sched_process_exit: comm=x pid=1000 prio=120",
    "sys_socket(a: 0x2, b: 0x1, c: 0x0)",
    "sys_socket -> 0x3",
    "sys_exit_group(code: 0x1)",
]


@given(
    st.lists(st.tuples(st.sampled_from([MAIN, 1001, 1002]), st.sampled_from(EVENTS)), max_size=40)
)
def test_threads_that_do_what_threads_cannot(told: list[tuple[int, str]]) -> None:
    trace = Trace()
    trace.follow()
    for tid, text in told:
        trace.line(tid, text)
    check(trace.lines, trace.follows)
