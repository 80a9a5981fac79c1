"""How calls are added up by process, and what is said of them."""

from __future__ import annotations

from labctl.sequence.crossings import findings, tally
from labctl.sequence.events import Call, ProcessEvent
from labctl.sequence.processor import Processor
from labctl.sequence.recording import ObservedHost, Recording


def call(name: str, start: int, end: int | None, **more: object) -> Call:
    told = {"result": 0, "errno": None, "pid": 7, "tid": 7, "args": {}, **more}
    if end is None:
        told["result"] = None
    pid, tid, args = told.pop("pid"), told.pop("tid"), told.pop("args")
    return Call("h", pid, tid, name, start, end, told["result"], told["errno"], None, args)  # type: ignore[arg-type]


def recording(
    *calls: Call,
    events: tuple[ProcessEvent, ...] = (),
    ran: dict[int, str] | None = None,
    tracer: str = "strace",
) -> Recording:
    host = ObservedHost("h", {}, programs=ran or {})
    return Recording("t", tracer, (host,), calls, processes=events)


EXEC = call("execve", 100, 200, args={"path": "/bin/x", "argv": ["x", "a b"]})


def test_inside_and_outside_make_the_whole_life() -> None:
    exit_ = ProcessEvent("h", 7, 7, "exit", 1100, code=0)
    (one,) = tally(recording(EXEC, call("read", 300, 500, result=9), events=(exit_,)))
    assert (one.program, one.name) == ("x 'a b'", "x")
    assert (one.lifetime, one.inside, one.outside) == (1000, 300, 700)
    assert (one.calls, one.ended, one.threads) == (2, True, 1)
    assert one.kind("read").moved == 9
    assert one.kind("write").calls == 0
    assert one.per_second == 2 / 1000 * 1e9


def test_the_shell_at_the_gate_is_not_counted() -> None:
    before = [call("kill", 10, 20), call("execve", 30, 40, result=-1, errno="ENOENT")]
    (one,) = tally(recording(*before, EXEC))
    assert one.calls == 1
    assert one.errors.total() == 0


def test_a_shell_at_a_gate_that_never_became_a_program_is_none() -> None:
    assert tally(recording(call("kill", 10, 20), call("exit_group", 30, None))) == ()


def test_a_process_that_ran_before_is_counted_from_its_first_call() -> None:
    (one,) = tally(recording(call("read", 50, 60), ran={7: "old --way"}))
    assert (one.program, one.start, one.calls) == ("old --way", 50, 1)


def test_a_command_line_that_is_known_names_the_program() -> None:
    exec_ = call("execve", 100, 200, args={"path": "/usr/bin/x"})
    (one,) = tally(recording(exec_), commands={("h", 7): ["x", "--y"]})
    assert one.program == "x --y"


def test_children_and_threads_are_told_apart() -> None:
    events = (
        ProcessEvent("h", 7, 7, "fork", 250, child=8),
        ProcessEvent("h", 7, 7, "thread", 300, child=9),
        ProcessEvent("h", 8, 8, "exit", 900, code=0),
        ProcessEvent("h", 7, 9, "exit", 700, code=0),
        ProcessEvent("h", 7, 7, "exit", 1000, code=0),
    )
    calls = (EXEC, call("getpid", 300, 310, pid=8, tid=8), call("getpid", 400, 410, tid=9))
    parent, child = tally(recording(*calls, events=events))
    assert (parent.threads, parent.lifetime, parent.calls) == (2, 900 + 400, 2)
    assert (child.program, child.lifetime, child.calls) == ("x 'a b'", 650, 1)


def test_a_call_that_never_returned_lasts_to_the_end_and_waits() -> None:
    exit_ = ProcessEvent("h", 7, 7, "exit", 1000, signal="SIGTERM")
    (one,) = tally(recording(EXEC, call("read", 300, None), events=(exit_,)))
    read = one.kind("read")
    assert (read.calls, read.unreturned, read.inside, read.waiting) == (1, 1, 700, 700)


def test_a_call_whose_return_was_lost_lasts_to_the_next_one() -> None:
    calls = (EXEC, call("read", 300, None), call("write", 350, 360))
    (one,) = tally(recording(*calls))
    assert one.kind("read").inside == 50


def test_times_of_the_kernel_are_rounded_the_other_way_on_the_average() -> None:
    told = call("read", 1_000_000 - 500, 1_003_000 + 500)
    exec_ = call("execve", 500, 2500)
    (one,) = tally(recording(exec_, told, tracer="tracefs"))
    assert one.kind("read").inside == 3000


def test_the_scheduler_says_what_was_work() -> None:
    had = Processor("h", 7, user=40, inside={"read": 30, "execve": 100})
    (one,) = tally(recording(EXEC, call("read", 300, 500)), [had])
    assert (one.user, one.working, one.waiting) == (40, 130, 170)
    assert one.kind("read").waiting == 170


def test_who_never_had_a_processor_waited_all_the_time() -> None:
    (one,) = tally(recording(EXEC, call("read", 300, 500)), [])
    assert (one.user, one.working, one.waiting) == (0, 0, 300)


def test_many_calls_for_few_bytes_are_told() -> None:
    calls = [call("write", 300 + n, 300 + n, result=1) for n in range(600)]
    (found,) = findings(tally(recording(EXEC, *calls)))
    assert found.rule == "little-a-call"
    assert found.sentence == "600 calls of write for 600 bytes: 1 byte a crossing"


def test_a_program_that_spins_is_told() -> None:
    calls = [call("recvfrom", 300 + n, 300 + n, result=-1, errno="EAGAIN") for n in range(600)]
    (found,) = findings(tally(recording(EXEC, *calls)))
    assert found.rule == "spins"
    assert "recvfrom failed with EAGAIN 600 times of 600" in found.sentence


def test_what_moves_enough_or_is_called_seldom_is_not() -> None:
    large = [call("write", 300 + n, 300 + n, result=4096) for n in range(600)]
    few = [call("read", 1000 + n, 1000 + n, result=1) for n in range(100)]
    assert findings(tally(recording(EXEC, *large, *few))) == []
