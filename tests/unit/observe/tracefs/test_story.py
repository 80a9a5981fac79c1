"""Threads, processes and calls, from traces made for it."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.sequence.events import Call
from tests.unit.observe.tracefs.made import MAIN, Trace

CHILD, THREAD = 1001, 1002
CLONE_THREAD = 0x10F00


@pytest.fixture
def trace() -> Trace:
    made = Trace()
    made.follow()
    return made


def only(trace: Trace) -> Call:
    (call,) = trace.calls()
    return call


def test_the_times_of_a_call_enclose_it(trace: Trace) -> None:
    entered, left = trace.enter(MAIN, "close", 3), trace.leave(MAIN, "close", 0)
    call = only(trace)
    assert (call.host, call.pid, call.tid, call.name, call.fd) == ("h", 1, 1, "close", 3)
    assert (call.start, call.end, call.result) == (entered - 500, left + 500, 0)


def test_the_clock_of_the_trace_is_ahead_by_leap_seconds() -> None:
    ahead = Trace(ahead=37 * 10**9)
    ahead.follow()
    entered = ahead.enter(MAIN, "close", 3)
    assert only(ahead).start == entered - 500 - 37 * 10**9


def test_an_error_is_minus_one_with_its_name(trace: Trace) -> None:
    trace.call(MAIN, "connect", 3, 1, 16, result=-111)
    call = only(trace)
    assert (call.result, call.errno) == (-1, "ECONNREFUSED")


def test_a_call_without_a_return_has_none(trace: Trace) -> None:
    trace.enter(MAIN, "accept4", 3, 0, 0, 0)
    call = only(trace)
    assert (call.end, call.result, call.errno) == (None, None, None)


def test_a_return_without_its_entry_is_no_call(trace: Trace) -> None:
    trace.leave(MAIN, "accept4", 4)
    assert trace.parsed().calls == ()


def test_lines_of_strangers_are_counted(trace: Trace) -> None:
    trace.call(77, "close", 3)
    found = trace.parsed()
    assert found.calls == ()
    assert [n.text for n in found.notices] == [
        "2 lines of the trace are of processes of no known host"
    ]


def test_a_child_gets_its_number_when_its_parent_is_told(trace: Trace) -> None:
    trace.enter(MAIN, "clone", 17, 0, 0)
    trace.fork(MAIN, CHILD)
    trace.call(CHILD, "close", 3)
    trace.leave(MAIN, "clone", 9)
    trace.call(CHILD, "close", 4)
    found = trace.parsed()
    assert [(c.pid, c.tid) for c in found.calls if c.name == "close"] == [(9, 9), (9, 9)]
    assert found.calls[0].args == {"flags": ["SIGCHLD"]}
    (fork,) = found.processes
    assert (fork.kind, fork.pid, fork.child) == ("fork", 1, 9)


def test_a_thread_is_of_its_process(trace: Trace) -> None:
    trace.enter(MAIN, "clone3", 0x7FFC, 88)
    trace.fork(MAIN, THREAD, CLONE_THREAD)
    trace.leave(MAIN, "clone3", 2)
    trace.call(THREAD, "close", 3)
    found = trace.parsed()
    assert [(c.pid, c.tid) for c in found.calls] == [(1, 1), (1, 2)]
    assert "CLONE_THREAD" in str(found.calls[0].args["flags"])
    assert [(e.kind, e.child) for e in found.processes] == [("thread", 2)]


def test_a_child_of_whom_nothing_tells_the_number_is_left_out_and_told(trace: Trace) -> None:
    trace.enter(MAIN, "fork")
    trace.fork(MAIN, CHILD)
    trace.call(CHILD, "close", 3)
    found = trace.parsed()
    assert [c.name for c in found.calls] == ["fork"]
    assert [(n.host, n.text) for n in found.notices] == [
        ("h", "1 call left out: the trace does not tell by which process")
    ]


def test_who_is_still_there_at_the_end_is_named_by_the_observer(trace: Trace) -> None:
    trace.enter(MAIN, "vfork")
    trace.fork(MAIN, CHILD)
    trace.call(CHILD, "close", 3)
    trace.mark(tasks={str(CHILD): [9, 9]}, at=trace.now)
    assert [(c.pid, c.tid) for c in trace.calls() if c.name == "close"] == [(9, 9)]


def test_a_number_of_the_kernel_s_that_is_used_again_is_another_thread(trace: Trace) -> None:
    trace.call(MAIN, "close", 3)
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120 group_dead=true")
    trace.follow("other", 2000, {MAIN: (5, 6)})
    trace.call(MAIN, "close", 4)
    assert [(c.host, c.pid, c.tid, c.fd) for c in trace.calls()] == [
        ("h", 1, 1, 3),
        ("other", 5, 6, 4),
    ]


@pytest.mark.parametrize(
    ("does", "code", "signal"),
    [
        (["sys_exit_group(error_code: 0x103)"], 3, None),
        (["sys_exit(error_code: 0x0)"], 0, None),
        (["signal_deliver: sig=13 errno=0 code=0 sa_handler=0 sa_flags=0"], None, "SIGPIPE"),
        (["signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0"], None, "SIGKILL"),
        (
            [
                "signal_deliver: sig=17 errno=0 code=0 sa_handler=0 sa_flags=0",
                "signal_deliver: sig=10 errno=0 code=0 sa_handler=55d0 sa_flags=0",
                "sys_exit_group(error_code: 0x1)",
            ],
            1,
            None,
        ),
    ],
)
def test_how_a_process_ended(
    trace: Trace, does: list[str], code: int | None, signal: str | None
) -> None:
    for text in does:
        trace.line(MAIN, text)
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120")
    (ended,) = trace.parsed().processes
    assert (ended.kind, ended.code, ended.signal) == ("exit", code, signal)


KILLED = "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0"
STRANGER = 4000


def sent(number: int, *, to: int = MAIN, result: int = 0) -> str:
    """The text of an event signal_generate; the name of the command may be anything."""
    return f"signal_generate: sig={number} errno=0 code=0 comm=a\nb pid={to} grp=1 res={result}"


@pytest.mark.parametrize(
    ("happens", "signal"),
    [
        ([(MAIN, sent(13))], "SIGPIPE"),
        ([(STRANGER, sent(15))], "SIGTERM"),
        ([(STRANGER, sent(9))], "SIGKILL"),
        ([(STRANGER, sent(15)), (STRANGER, sent(17)), (STRANGER, sent(9, result=1))], "SIGTERM"),
        ([(STRANGER, sent(15, to=STRANGER))], "SIGKILL"),
        (
            [
                (STRANGER, sent(10)),
                (MAIN, "signal_deliver: sig=10 errno=0 code=0 sa_handler=55d0 sa_flags=0"),
            ],
            "SIGKILL",
        ),
    ],
)
def test_which_signal_had_it_killed(
    trace: Trace, happens: list[tuple[int, str]], signal: str
) -> None:
    for tid, text in happens:
        trace.line(tid, text)
    trace.line(MAIN, KILLED)
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120")
    found = trace.parsed()
    assert [event.signal for event in found.processes] == [signal]
    assert found.notices == ()


def test_what_is_sent_to_one_that_has_ended_is_not_sent_to_the_next(trace: Trace) -> None:
    trace.line(MAIN, "sys_exit_group(error_code: 0x0)")
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120")
    trace.line(STRANGER, sent(15))
    trace.follow("other", 2000, {MAIN: (5, 5)})
    trace.line(MAIN, KILLED)
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120")
    found = [(event.host, event.code, event.signal) for event in trace.parsed().processes]
    assert found == [("h", 0, None), ("other", None, "SIGKILL")]


CHILD = 1001


def told(trace: Trace, *happens: tuple[int, str]) -> list[bool | None]:
    """Return of which children's ends the parent was told."""
    trace.follow(tasks={MAIN: (1, 1), CHILD: (2, 2)})
    trace.line(CHILD, "sys_exit_group(error_code: 0x0)")
    trace.line(CHILD, f"sched_process_exit: comm=x pid={CHILD} prio=120")
    for tid, text in happens:
        trace.line(tid, text)
    return [event.told_parent for event in trace.parsed().processes]


def child_ended(code: int, result: int) -> str:
    return f"signal_generate: sig=17 errno=0 code={code} comm=x pid={MAIN} grp=1 res={result}"


@pytest.mark.parametrize(("code", "result"), [(1, 0), (1, 1), (2, 2), (3, 1)])
def test_a_parent_is_told_of_an_end_even_where_it_has_not_asked(code: int, result: int) -> None:
    assert told(Trace(sigchld=True), (CHILD, child_ended(code, result))) == [True]


@pytest.mark.parametrize("other", [[], [(CHILD, child_ended(5, 0))], [(4000, child_ended(1, 0))]])
def test_a_parent_that_ignores_sigchld_is_not_told(other: list[tuple[int, str]]) -> None:
    assert told(Trace(sigchld=True), *other) == [False]


def test_where_signals_are_not_traced_nobody_knows_whether_a_parent_is_told() -> None:
    assert told(Trace()) == [None]


def test_a_call_in_which_a_thread_is_killed_never_returned(trace: Trace) -> None:
    trace.call(MAIN, "read", 3, 0, 1, result=-512)
    trace.line(MAIN, "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0")
    assert only(trace).end is None


def test_one_that_a_signal_broke_off_long_before_did(trace: Trace) -> None:
    trace.call(MAIN, "read", 3, 0, 1, result=-4)
    kill = "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0"
    trace.line(MAIN, kill, wait=1_000_000)
    assert only(trace).errno == "EINTR"


def test_a_call_goes_on_after_a_stop_as_itself(trace: Trace) -> None:
    trace.call(MAIN, "poll", 0x7FFC, 1, 50, result=-516)
    trace.call(MAIN, "restart_syscall", result=0)
    assert [(c.name, c.result, c.errno, c.args) for c in trace.calls()] == [
        ("poll", -1, "ERESTART_RESTARTBLOCK", {"timeout_ms": 50}),
        ("poll", 0, None, {"timeout_ms": 50}),
    ]


def test_an_execve_tells_its_program_and_closes_what_is_to_be_closed(trace: Trace) -> None:
    trace.enter(MAIN, "execve", 1, 2, 3)
    trace.line(MAIN, "sched_process_exec: filename=/bin/a pid=7 b pid=1000 old_pid=1000")
    trace.leave(MAIN, "execve", 0)
    found = trace.parsed()
    assert found.calls[0].args == {"path": "/bin/a pid=7 b"}
    assert [(e.kind, e.program) for e in found.processes] == [("exec", "/bin/a pid=7 b")]


def test_an_execve_by_a_later_thread(trace: Trace) -> None:
    trace.enter(MAIN, "clone3", 0, 88)
    trace.fork(MAIN, THREAD, CLONE_THREAD)
    trace.leave(MAIN, "clone3", 2)
    trace.enter(THREAD, "execve", 1, 2, 3)
    trace.line(MAIN, "signal_deliver: sig=9 errno=0 code=0 sa_handler=0 sa_flags=0")
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120 group_dead=false")
    trace.line(MAIN, f"sched_process_exec: filename=/bin/a pid={MAIN} old_pid={THREAD}")
    trace.leave(MAIN, "execve", 0)
    trace.call(MAIN, "close", 3)
    trace.line(MAIN, "sys_exit_group(error_code: 0x0)")
    trace.line(MAIN, "sched_process_exit: comm=x pid=1000 prio=120 group_dead=true")
    found = trace.parsed()
    assert [(c.pid, c.tid, c.name, c.result) for c in found.calls[1:]] == [
        (1, 2, "execve", 0),
        (1, 1, "close", 0),
    ]
    assert [(e.kind, e.pid, e.tid, e.code) for e in found.processes[1:]] == [
        ("exec", 1, 2, None),
        ("exit", 1, 1, 0),
    ]


WAITING: dict[str, Any] = {
    "machine": "x86_64",
    "under_way": {str(MAIN): [288, 3, 0, 0, 0x80000, 0, 0]},
}


def test_a_call_in_which_a_thread_was_when_it_was_followed() -> None:
    trace = Trace()
    since = trace.now
    trace.follow(since=since, **WAITING)
    left = trace.leave(MAIN, "accept4", 4)
    call = only(trace)
    assert (call.name, call.fd, call.result) == ("accept4", 3, 4)
    assert call.args == {"flags": ["SOCK_CLOEXEC"]}
    assert (call.start, call.end) == (since - 500, left + 500)


def test_one_that_it_stays_in_is_told_without_an_end() -> None:
    trace = Trace()
    trace.follow(since=trace.now, **WAITING)
    assert (only(trace).name, only(trace).end) == ("accept4", None)


@pytest.mark.parametrize("leaves", [True, False])
def test_one_that_it_was_in_no_more_is_not_told(leaves: bool) -> None:
    trace = Trace()
    trace.follow(since=trace.now, **WAITING)
    if leaves:
        trace.leave(MAIN, "read", 1)
    trace.call(MAIN, "close", 5)
    assert [c.name for c in trace.calls()] == ["close"]


def test_what_may_be_missing_is_told(trace: Trace) -> None:
    trace.lines += [b"CPU:1 [LOST 12 EVENTS]\n", b"nonsense\n"]
    trace.mark(tracer="tracefs", skipped=["send", "epoll_ctl"])
    trace.call(MAIN, "io_uring_setup", 8, 0, result=3)
    trace.mark(lost=40, cut="more than 9 bytes were traced")
    found = trace.parsed()
    assert [(n.host, n.text) for n in found.notices] == [
        ("", "this kernel does not trace the calls epoll_ctl"),
        ("", "tracing ended early: more than 9 bytes were traced"),
        ("", "40 events of the kernel's found no room and are missing"),
        ("", "1 line of the trace could not be read"),
        ("h", "a program uses io_uring: what it asks of the kernel that way is not seen"),
    ]
    assert found.calls == ()
