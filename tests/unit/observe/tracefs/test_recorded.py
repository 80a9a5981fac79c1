"""Real runs, each traced in the kernel and by strace at once: both tell the same."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from labctl.sequence.events import Call, Endpoint, ProcessEvent
from tests.unit.observe.fuzzed import sound
from tests.unit.observe.tracefs.recorded import NAMES, lines, oracle, parsed

MILLISECOND = 1_000_000
_ENTRY = re.compile(rb" sys_(\w+)\(")
_OWN = (b"exit", b"exit_group", b"restart_syscall")


def by_thread(calls: Iterable[Call]) -> dict[int, list[Call]]:
    found = defaultdict(list)
    for call in calls:
        found[call.tid].append(call)
    return found


def pairs(name: str) -> list[tuple[Call, Call]]:
    """Return each call as the trace has it and as strace has it."""
    told, expected = by_thread(parsed(name).calls), by_thread(oracle(name).calls)
    assert told.keys() == expected.keys()
    return [pair for tid in told for pair in zip(told[tid], expected[tid], strict=True)]


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_of_the_trace_is_a_call(name: str) -> None:
    entered = Counter(m[1] for line in lines(name) if (m := _ENTRY.search(line)))
    for other in _OWN:
        restarted = entered.pop(other, 0)
    calls = Counter(call.name.encode() for call in parsed(name).calls)
    assert sum(calls.values()) == sum(entered.values()) + restarted
    assert calls[b"socket"] == entered[b"socket"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_calls_are_those_that_strace_tells(name: str) -> None:
    for told, expected in pairs(name):
        assert (told.pid, told.tid, told.name, told.fd) == (
            expected.pid,
            expected.tid,
            expected.name,
            expected.fd,
        )
        assert (told.result, told.errno) == (expected.result, expected.errno)


@pytest.mark.parametrize("name", NAMES)
def test_times_agree_with_strace(name: str) -> None:
    for told, expected in pairs(name):
        assert abs(told.start - expected.start) < 20 * MILLISECOND
        if told.end is not None and expected.end is not None:
            assert told.end <= expected.end + MILLISECOND  # strace holds the thread meanwhile


SHOWN_BY_ONE = {"data", "descriptors", "ready", "value", "argv", "messages", "events", "moved"}
"""Arguments that are only pointed at: the trace does not have them."""


@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_both_tell_are_the_same(name: str) -> None:
    compared = Counter[str]()
    for told, expected in pairs(name):
        for field in told.args.keys() & expected.args.keys():
            if (told.name, field) == ("bind", "address") or "0x8000" in str(told.args[field]):
                continue  # the port that the kernel chose; O_LARGEFILE, which has no name here
            assert told.args[field] == expected.args[field], (told, expected)
            compared[field] += 1
    assert {"flags", "length", "family", "address"} <= compared.keys()


@pytest.mark.parametrize("name", NAMES)
def test_processes_are_those_that_strace_tells(name: str) -> None:
    def known(events: Iterable[ProcessEvent]) -> Counter[tuple[object, ...]]:
        return Counter(
            (
                e.kind,
                e.pid,
                e.tid,
                e.child,
                e.code,
                e.signal,
                e.program and e.program.split("/")[-1],
            )
            for e in events
        )

    assert known(parsed(name).processes) == known(oracle(name).processes)


@pytest.mark.parametrize("name", NAMES)
def test_the_events_of_a_trace_are_sound(name: str) -> None:
    sound(parsed(name).calls)
    times = [event.time for event in parsed(name).processes]
    assert times == sorted(times)


@pytest.mark.parametrize("name", ["c", "go", "java", "node"])
def test_all_of_a_trace_is_read(name: str) -> None:
    assert parsed(name).notices == ()


def test_a_program_that_a_later_thread_executes_is_told() -> None:
    (notice,) = parsed("python").notices
    assert notice.text.startswith("1 program executed by a later thread")


@pytest.mark.parametrize("name", NAMES)
def test_addresses_of_connects_are_those_that_strace_tells(name: str) -> None:
    compared = 0
    for told, expected in pairs(name):
        if told.name == "connect" and "family" not in expected.args and expected.args:
            assert told.args.get("address") == expected.args["address"]
            compared += 1
    assert compared >= (0 if name == "c" else 1)


@pytest.mark.parametrize("name", ["python", "java", "go", "node"])
def test_addresses_of_accepts_are_those_that_strace_tells(name: str) -> None:
    compared = 0
    for told, expected in pairs(name):
        if told.name.startswith("accept") and "address" in told.args:
            if "address" in expected.args:
                assert told.args["address"] == expected.args["address"]
            compared += 1
    assert compared >= 1


def test_a_bind_has_the_port_that_the_kernel_chose() -> None:
    binds = [c for c in parsed("python").calls if c.name == "bind" and "address" in c.args]
    named = [c for c in oracle("python").calls if c.name == "getsockname"]
    assert binds[0].args["address"] == named[0].args["address"]


def test_states_go_from_one_to_the_next_on_each_end() -> None:
    states = parsed("java").states
    assert states
    last: dict[tuple[Endpoint, Endpoint], str] = {}
    for state in states:
        ends = (state.local, state.remote)
        if ends in last and state.old != "LISTEN":
            assert state.old == last[ends]
        last[ends] = state.new
    opened = [s for s in states if s.new == "ESTABLISHED"]
    assert len(opened) == 2 * len({frozenset((s.local, s.remote)) for s in opened})
    assert {s.host for s in states} == {"h"}


def test_threads_that_wait_when_they_are_attached_to() -> None:
    calls = parsed("attached").calls
    received = [c for c in calls if c.name == "recvfrom"]
    assert [(c.fd, c.result, c.args["length"]) for c in received] == [(7, 3, 10), (7, None, 10)]
    assert received[0].end is not None
    assert received[0].end - received[0].start > 1000 * MILLISECOND
    assert {c.pid for c in calls} == {received[0].pid}
    assert {c.name for c in calls if c.end is None} == {"recvfrom", "accept4", "poll"}
