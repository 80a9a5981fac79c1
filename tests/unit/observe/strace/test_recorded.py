"""What real programs did, as strace recorded it: every call of the files, and what it was."""

from __future__ import annotations

import pytest

from labctl.observe.strace import parse
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.verbs import FAMILIES
from tests.unit.observe.strace.recorded import NAMES, facts, lines, parsed

RESTART = "restart_syscall"


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_the_file_is_there_with_its_result(name: str) -> None:
    told = [fact for fact in facts(name) if fact.name != RESTART]
    restarted = {fact.start: fact for fact in facts(name) if fact.name == RESTART}
    calls = parsed(name).calls
    others = [call for call in calls if call.start not in restarted]
    assert len(told) > 5
    assert [(c.tid, c.start, c.name, c.result, c.errno) for c in others] == told
    for call in calls:
        if call.start in restarted:
            fact = restarted[call.start]
            assert (call.tid, call.result, call.errno) == (fact.tid, fact.result, fact.errno)


@pytest.mark.parametrize("name", NAMES)
def test_all_of_a_file_is_read(name: str) -> None:
    assert parsed(name).notices == ()


@pytest.mark.parametrize("name", NAMES)
def test_calls_are_in_order_known_by_their_families_and_last(name: str) -> None:
    calls = parsed(name).calls
    assert list(calls) == sorted(calls, key=lambda call: call.start)
    assert {c.name for c in calls} <= {call for calls in FAMILIES.values() for call in calls}
    assert all(c.end is None or c.end >= c.start for c in calls)
    assert all((c.end is None) == (c.result is None) for c in calls)


@pytest.mark.parametrize("name", NAMES)
def test_a_thread_is_in_one_call_at_a_time(name: str) -> None:
    last: dict[int, int] = {}
    for call in parsed(name).calls:
        assert last.get(call.tid, 0) <= call.start
        last[call.tid] = call.end or call.start


def _of(name: str, pid: int) -> list[Call]:
    return [call for call in parsed(name).calls if call.pid == pid]


def _events(name: str, kind: str) -> list[ProcessEvent]:
    return [event for event in parsed(name).processes if event.kind == kind]


def test_threads_belong_to_the_process_that_made_them() -> None:
    told = {e.child: e.pid for e in _events("python", "thread")}
    (main,) = {e.pid for e in parsed("python").processes if e.code == 7}
    talking = [call for call in parsed("python").calls if call.name == "connect"]
    in_threads = [call for call in talking if call.tid != call.pid]
    assert len(in_threads) == 2
    assert {call.pid for call in in_threads} == {main}
    assert {told[call.tid] for call in in_threads} == {main}
    assert all(call.result == 0 for call in in_threads)


def test_processes_end_as_the_program_has_them_end() -> None:
    ends = [(e.code, e.signal) for e in _events("python", "exit") if e.tid == e.pid]
    assert ends.count((3, None)) == 1
    assert ends.count((None, "SIGKILL")) == 1
    assert ends.count((None, "SIGPIPE")) == 1
    assert ends[-1] == (7, None)


def test_a_thread_that_executes_becomes_its_process() -> None:
    superseded = next(line for line in lines("python") if b"superseded" in line)
    leader = int(superseded.split()[0])
    thread = int(superseded.split()[-2])
    executed = next(e for e in _events("python", "exec") if e.pid == leader and e.tid == thread)
    assert executed.program == "/bin/true"
    after = [call for call in _of("python", leader) if call.start > executed.time]
    assert after
    assert {call.tid for call in after} == {leader}
    (end,) = [e for e in _events("python", "exit") if e.pid == leader]
    assert (end.tid, end.code) == (leader, 0)
    assert end.time > executed.time


def test_a_call_that_goes_on_after_a_stop_is_told_as_that_call() -> None:
    polls = [c for c in parsed("c").calls if c.name == "poll" and c.args.get("timeout_ms") == 50]
    assert [c.errno for c in polls] == ["ERESTART_RESTARTBLOCK", None]
    assert polls[1].result == 0
    assert polls[1].args["descriptors"] == {"5": []}


def test_a_call_that_a_signal_broke_off_counts_as_failed() -> None:
    read = next(c for c in parsed("c").calls if c.errno == "ERESTARTSYS")
    assert (read.name, read.fd, read.result, read.end is None) == ("read", 3, -1, False)


def test_a_thread_killed_in_a_call_never_returned_from_it() -> None:
    killed = [e for e in _events("c", "exit") if e.signal == "SIGTERM"]
    assert len({e.pid for e in killed}) == 1
    thread = next(e.tid for e in killed if e.tid != e.pid)
    (read,) = [call for call in parsed("c").calls if call.tid == thread]
    assert (read.name, read.end, read.result) == ("read", None, None)


def test_a_child_of_vfork_is_there_before_vfork_returns() -> None:
    vfork = next(c for c in parsed("c").calls if c.name == "vfork")
    born = next(e for e in _events("c", "fork") if e.child == vfork.result)
    ended = next(e for e in _events("c", "exit") if e.pid == vfork.result)
    assert vfork.start <= born.time <= ended.time
    assert ended.code == 4


def test_bytes_of_any_kind_are_data() -> None:
    sent = next(c for c in parsed("python").calls if c.name == "sendmsg")
    assert sent.args["data"] == 'say "hi"\\\n\xff\xfe\x001'
    path = next(c for c in parsed("python").calls if "nowhere" in str(c.args.get("address")))
    assert path.args == {"address": "/nowhere/ä:80", "family": "AF_UNIX"}
    assert ["true", "aä"] in [c.args.get("argv") for c in parsed("python").calls]


def test_descriptors_that_are_passed_on_are_told_at_both_ends() -> None:
    passing = [c for c in parsed("python").calls if "descriptors" in c.args]
    sent = next(c for c in passing if c.name == "sendmsg")
    received = next(c for c in passing if c.name == "recvmsg")
    assert sent.args["descriptors"] == [0, 1]
    assert len(set(received.args["descriptors"]) & {0, 1}) == 0  # type: ignore[arg-type]


def test_what_went_on_when_strace_was_attached_and_at_the_end_is_told() -> None:
    calls = parsed("attached").calls
    assert {call.pid for call in calls} == {25186}
    received = [c for c in calls if c.name == "recvfrom"]
    assert [(c.tid, c.result, c.args.get("data")) for c in received] == [
        (25189, 3, "abc"),
        (25189, None, None),
    ]
    assert [c.name for c in calls if c.end is None] == ["recvfrom", "accept4", "poll"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_anywhere_has_the_same_calls_up_to_there(name: str) -> None:
    whole = b"".join(lines(name))
    at = len(whole) * 2 // 3
    cut = parse(whole[:at].splitlines(keepends=True), "h", {})
    kept = [fact for fact in facts(name) if fact.name != RESTART][: len(cut.calls) - 3]
    starts = [c.start for c in cut.calls]
    assert all(fact.start in starts for fact in kept)
