"""Single lines of strace."""

from __future__ import annotations

import pytest

from labctl.observe.strace.lines import Line, Outcome, nanoseconds, read

TIME = 1_700_000_000_000_000_005
CHILD = (
    "--- SIGCHLD {{si_signo=SIGCHLD, si_code={code}, si_pid=9, si_uid=0, si_status=0, "
    "si_utime=0, si_stime=0}} ---"
)
AT = "1700000000.000000005"


def line(text: str) -> Line:
    found = read(text)
    assert found is not None
    return found


def test_a_whole_call() -> None:
    assert line(f'7 {AT} read(3, "a) = 1", 9) = 6 <0.000000012>') == Line(
        7, TIME, "call", "read", '3, "a) = 1", 9', Outcome(6, None, "", 12)
    )


def test_numbers_are_padded_and_may_have_the_command_behind_them() -> None:
    assert line(f"7     {AT} close(3)     = 0").tid == 7
    assert line(f"7<python3> {AT} close(3)     = 0 <0.5>").outcome == Outcome(
        0, None, "", 500_000_000
    )


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ("= -1 EAGAIN (Resource temporarily unavailable) <0.1>", (-1, "EAGAIN", "", 10**8)),
        ("= ? ERESTARTSYS (To be restarted if SA_RESTART is set)", (-1, "ERESTARTSYS", "", None)),
        ("= ?", (None, None, "", None)),
        ("= ? <unavailable>", (None, None, "", None)),
        ("= 0x802 (flags O_RDWR|O_NONBLOCK)", (0x802, None, "flags O_RDWR|O_NONBLOCK", None)),
        ("= 1 ([{fd=3, revents=POLLIN}])", (1, None, "[{fd=3, revents=POLLIN}]", None)),
        ("= -1 (errno 530)", (-1, "530", "", None)),
        ("= 0 (Timeout)", (0, None, "Timeout", None)),
    ],
)
def test_how_a_call_came_out(told: str, outcome: tuple[object, ...]) -> None:
    assert line(f"7 {AT} poll(1) {told}").outcome == outcome


@pytest.mark.parametrize("mark", ["unfinished ...", "detached ...", "pid changed to 9 ..."])
def test_a_call_of_which_the_first_half_is_told(mark: str) -> None:
    assert line(f"7 {AT} accept4(3, <{mark}>") == Line(7, TIME, "call", "accept4", "3,", None)
    assert line(f"7 {AT} vfork( <{mark}>").text == ""


def test_what_only_looks_like_a_half_is_whole() -> None:
    found = line(f'7 {AT} write(1, "<unfinished ...>", 16) = 16 <0.1>')
    assert (found.text, found.outcome and found.outcome.result) == ('1, "<unfinished ...>", 16', 16)


def test_the_second_half() -> None:
    assert line(f"8 {AT} <... accept4 resumed>NULL, NULL, 0) = 4 <0.2>") == Line(
        8, TIME, "resumed", "accept4", "NULL, NULL, 0", Outcome(4, None, "", 2 * 10**8)
    )
    never = line(f"8 {AT} <... read resumed> <unfinished ...>) = ?")
    assert (never.text, never.outcome) == ("", Outcome(None, None, "", None))


@pytest.mark.parametrize(
    ("told", "kind", "name"),
    [
        ("+++ exited with 7 +++", "exited", "7"),
        ("+++ killed by SIGKILL +++", "killed", "SIGKILL"),
        ("+++ killed by SIGSEGV (core dumped) +++", "killed", "SIGSEGV"),
        ("+++ superseded by execve in pid 99 +++", "superseded", "99"),
        ("--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER} ---", "signal", ""),
        (CHILD.format(code="CLD_EXITED"), "signal", "9"),
        (CHILD.format(code="CLD_KILLED"), "signal", "9"),
        (CHILD.format(code="CLD_STOPPED"), "signal", ""),
    ],
)
def test_what_becomes_of_a_thread(told: str, kind: str, name: str) -> None:
    assert line(f"8 {AT} {told}") == Line(8, TIME, kind, name, "", None)  # type: ignore[arg-type]


def test_a_line_that_ends_in_the_middle_of_a_call_is_cut() -> None:
    assert line(f'8 {AT} write(1, "abc').kind == "cut"
    assert line(f"8 {AT} write(1, 2, 3").text == "1, 2, 3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        f"8 {AT}",
        f"8 {AT} ",
        f"x {AT} close(3) = 0",
        "8 12:00:00 close(3) = 0",
        "strace: Process 8 attached",
        f"8 {AT} <... read resumed>",
        f"8 {AT} +++ exited with x +++",
        f"8 {AT} +++ exited",
        f"\N{FULLWIDTH DIGIT EIGHT} {AT} close(3) = 0",
        "9" * 5000 + f" {AT} close(3) = 0",
    ],
)
def test_anything_else_is_no_line(text: str) -> None:
    assert read(text) is None


def test_times_are_exact() -> None:
    assert nanoseconds("1700000000", "000000005") == TIME
    assert nanoseconds("1", "5") == 1_500_000_000
