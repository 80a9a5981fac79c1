"""The end of an observed host: what is told of it, and what follows for its program."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.engine.ending import moment
from labctl.observe.ended import NOTHING_TOLD, HostEnd, State, completed, read_state
from labctl.sequence.events import ProcessEvent

AT = 1_795_650_123_415_287_867
PROGRAM = 7


def state(**more: object) -> bytes:
    told = {"time": AT, "interfaces": {"2": ["10.0.0.1"]}, "notes": None, "status": None}
    return json.dumps({**told, **more}).encode()


WHOLE = state(status=0, notes=[])


@pytest.mark.parametrize(
    ("status", "code"), [(0, 0), (1 << 8, 1), (141 << 8, 141), (13, 141), (9, 137), (0x8B, 139)]
)
def test_the_status_of_an_init_becomes_its_containers_code(status: int, code: int) -> None:
    told = read_state(state(notes=[["packets", "a note"]], status=status))
    assert told == State({2: ["10.0.0.1"]}, [("packets", "a note")], AT, code)


def test_a_state_from_before_the_end_has_the_interfaces_only() -> None:
    assert read_state(state()) == State({2: ["10.0.0.1"]})


@given(st.binary(max_size=20) | st.integers(0, len(WHOLE) - 1).map(lambda n: WHOLE[:n]))
def test_what_is_no_state_tells_nothing(content: bytes) -> None:
    assert read_state(content) == NOTHING_TOLD


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (
            HostEnd(AT, 141, whole=True),
            "it ended at 23:42:03.415 UTC with exit code 141 (128 + 13: SIGPIPE); "
            "all that happened until then was observed",
        ),
        (
            HostEnd(AT, 1),
            "it ended at 23:42:03.415 UTC with exit code 1; "
            "its observer ended with it, so its last packets may be missing",
        ),
        (
            HostEnd(AT, 137, out_of_memory=True),
            "it ended at 23:42:03.415 UTC with exit code 137 (out of memory); "
            "its observer ended with it, so its last packets may be missing",
        ),
        (HostEnd(), "it ended; its observer ended with it, so its last packets may be missing"),
    ],
)
def test_the_notice_says_when_and_how(end: HostEnd, text: str) -> None:
    notice = end.notice("server", ("packets",))
    assert (notice.host, notice.text) == ("server", text)
    assert notice.missing == (() if end.whole else ("packets",))


def ended(code: int | None = None, signal: str | None = None, host: str = "s") -> ProcessEvent:
    return ProcessEvent(host, PROGRAM, PROGRAM, "exit", AT - 5, code=code, signal=signal)


EXECUTED = ProcessEvent("s", PROGRAM, PROGRAM, "exec", AT - 9, program="/bin/server")


def test_an_end_that_no_tracer_has_told_is_added() -> None:
    added = completed([EXECUTED, ended(0, host="c")], "s", PROGRAM, HostEnd(AT, 3))
    expected = ProcessEvent("s", PROGRAM, PROGRAM, "exit", AT, code=3)
    assert added == (EXECUTED, ended(0, host="c"), expected)


@pytest.mark.parametrize(
    ("program", "end"),
    [
        (PROGRAM, HostEnd(AT, 141)),  # its own choice, or a signal's number
        (PROGRAM, HostEnd(AT, 1, out_of_memory=True)),
        (PROGRAM, HostEnd()),
        (None, HostEnd(AT, 1)),
    ],
)
def test_what_is_not_certain_is_not_added(program: int | None, end: HostEnd) -> None:
    assert completed([EXECUTED], "s", program, end) == (EXECUTED,)


@pytest.mark.parametrize("code", [0, 1, 141])
def test_an_end_that_was_told_stays(code: int) -> None:
    told = (EXECUTED, ended(code))
    assert completed(told, "s", PROGRAM, HostEnd(AT, code)) == told


def test_a_killed_program_was_killed_by_the_signal_that_its_init_tells() -> None:
    told = [EXECUTED, ended(signal="SIGKILL")]
    assert completed(told, "s", PROGRAM, HostEnd(AT, 141))[1].signal == "SIGPIPE"
    assert completed(told, "s", PROGRAM, HostEnd(AT, 137))[1].signal == "SIGKILL"
    assert completed(told, "s", PROGRAM, HostEnd(AT, 0))[1].signal == "SIGKILL"


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ("2026-11-25T23:42:03.415287867Z", AT),
        ("2026-11-25T23:42:03.4Z", 1_795_650_123_400_000_000),
        ("2026-11-25T23:42:03Z", 1_795_650_123_000_000_000),
    ],
)
def test_the_engines_times_are_read_to_the_nanosecond(told: str, time: int) -> None:
    assert moment(told) == time
