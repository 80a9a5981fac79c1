"""How the checks judge, run, mend and are shown."""

from __future__ import annotations

import io
import subprocess
import time
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from labctl.engine.doctor import (
    Check,
    Fix,
    State,
    addresses,
    kernel,
    mend,
    python,
    resources,
    tracers,
)
from labctl.engine.doctor import examine as run_all
from labctl.engine.doctor.model import Look, Machine, Note
from labctl.errors import EngineError, UsageError
from labctl.show import doctor as showing

NET = IPv4Network
MIB, GIB = 1 << 20, 1 << 30


# --- running


def _ok(name: str) -> Look:
    return Look((name,), lambda machine: [Check(name, State.OK, "fine")], needs_engine=False)


def test_a_check_that_hangs_has_failed_and_the_others_follow() -> None:
    def hang(_machine: Machine) -> list[Check]:
        time.sleep(600)
        return []

    looks = [Look(("slow", "slower"), hang, needs_engine=False, seconds=0.1), _ok("next")]
    checks = run_all(looks=looks)
    assert [(c.name, c.state) for c in checks] == [
        ("slow", State.FAILED),
        ("slower", State.FAILED),
        ("next", State.OK),
    ]
    assert checks[0].found == "TimeoutError: no answer within 0.1 seconds"


def test_a_check_that_raises_has_failed_with_the_hint_as_its_fix() -> None:
    def refuse(_machine: Machine) -> list[Check]:
        raise UsageError("the pool is wrong", "Write it so.")

    def break_(_machine: Machine) -> list[Check]:
        raise KeyError("missing")

    looks = [Look((n,), f, needs_engine=False) for n, f in (("a", refuse), ("b", break_))]
    first, second = run_all(looks=looks)
    assert (first.state, first.found) == (State.FAILED, "the pool is wrong")
    assert first.fix == Fix("Write it so.")
    assert (second.state, second.found) == (State.FAILED, "KeyError: 'missing'")


# --- mending


def test_only_safe_fixes_of_what_is_not_ok_are_applied_once_each() -> None:
    applied: list[str] = []

    def safe(what: str) -> Fix:
        def apply(note: Note) -> None:
            applied.append(what)
            note(f"{what} goes on")

        return Fix(what, "command", apply)

    def fail(_note: Note) -> None:
        raise EngineError("it went away")

    told: list[str] = []
    checks = [
        Check("fine", State.OK, "", fix=safe("not needed")),
        Check("one", State.WARNING, "", fix=safe("build")),
        Check("two", State.NOT_CHECKED, "", fix=safe("build")),
        Check("three", State.FAILED, "", fix=Fix("restart", "systemctl restart x")),
        Check("four", State.FAILED, "", fix=Fix("try", None, fail)),
        Check("five", State.FAILED, "", fix=safe("clean")),
    ]
    assert mend(checks, told.append) == 2
    assert applied == ["build", "clean"]
    assert told == [
        "one: build",
        "build goes on",
        "four: try",
        "that did not work: it went away",
        "five: clean",
        "clean goes on",
    ]


# --- addresses

POOL = [NET("10.201.0.0/24")]


def test_free_addresses() -> None:
    check = addresses.judge([NET("10.201.0.0/16")], [NET("172.17.0.0/16")], [NET("172.17.0.0/16")])
    assert check.state is State.OK
    assert check.found == "room for 4096 networks of /28 in 10.201.0.0/16"


def test_a_full_pool_fails_and_another_is_named() -> None:
    check = addresses.judge(POOL, [NET("10.0.0.0/16"), NET("10.201.0.0/16")], [])
    assert check.state is State.FAILED
    assert check.fix is not None
    assert check.fix.command == "export LABCTL_POOL=10.1.0.0/16"


def test_little_room_is_a_warning() -> None:
    check = addresses.judge(POOL, [NET("10.201.0.0/25")], [])
    assert check.state is State.WARNING


def test_routes_of_the_machine_are_named_those_of_the_engine_are_not() -> None:
    big = [NET("10.201.0.0/16")]
    vpn, own = NET("10.201.4.0/24"), NET("10.201.0.0/28")
    check = addresses.judge(big, [own, own, vpn], [own, vpn])
    assert check.state is State.OK
    assert "10.201.4.0/24" in check.found
    assert "10.201.0.0/28" not in check.found


@given(
    st.lists(
        st.builds(
            lambda offset, prefix: NET((0x0AC90000 + offset, prefix), strict=False),
            st.integers(0, 2047),
            st.integers(23, 32),
        ),
        max_size=6,
    )
)
def test_free_blocks_are_those_that_nothing_overlaps(taken: list[IPv4Network]) -> None:
    pools = [NET("10.201.0.0/23"), NET("10.201.1.0/24"), NET("10.201.4.0/24")]
    blocks = {b for p in pools for b in p.subnets(new_prefix=28)}
    expected = sum(not any(b.overlaps(t) for t in taken) for b in blocks)
    assert addresses.free_blocks(pools, taken) == expected


# --- disk, memory


@pytest.mark.parametrize(
    ("free", "state"),
    [(100 * MIB, State.FAILED), (GIB, State.WARNING), (9 * GIB, State.OK)],
)
def test_disk(free: int, state: State) -> None:
    check = resources.judge_disk(free, "/data")
    assert check.state is state
    assert "GiB free in /data" in check.found


@pytest.mark.parametrize(
    ("total", "available", "state"),
    [
        (8 * GIB, 4 * GIB, State.OK),
        (8 * GIB, None, State.OK),
        (8 * GIB, 600 * MIB, State.WARNING),
        (8 * GIB, 100 * MIB, State.FAILED),
        (GIB // 8, None, State.FAILED),
    ],
)
def test_memory(total: int, available: int | None, state: State) -> None:
    assert resources.judge_memory(total, available).state is state


def test_available_memory_is_read() -> None:
    text = "MemTotal:       24684312 kB\nMemFree: 1 kB\nMemAvailable:   23456789 kB\n"
    assert resources.read_available(text) == 23456789 * 1024
    assert resources.read_available("MemTotal: 1 kB\n") is None


# --- the kernel

OUTPUT = """\
netem no Error: Specified qdisc kind is unknown.
tbf ok
htb ok
loss ok
ifb no Error: Unknown device type.
"""


def test_what_the_kernel_lacks_is_a_warning_with_its_reason() -> None:
    checks = {c.name: c for c in kernel.read(OUTPUT)}
    assert checks["tbf"].state is State.OK
    assert checks["netem"].state is State.WARNING
    assert checks["netem"].found == "missing: Error: Specified qdisc kind is unknown."
    assert checks["netem"].fix is not None
    assert checks["netem"].fix.command == "sudo modprobe sch_netem"
    assert checks["ifb"].found == "missing: Error: Unknown device type."


@pytest.mark.parametrize("output", ["", "exec format error", OUTPUT.replace("tbf ok\n", "")])
def test_an_observer_that_does_not_tell_is_an_error(output: str) -> None:
    with pytest.raises(EngineError, match="did not tell of"):
        kernel.read(output)


def test_the_script_tells_each_ability_even_when_its_command_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", kernel.script()],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    checks = kernel.read(done.stdout)
    assert {c.state for c in checks} == {State.WARNING}
    assert all("not found" in c.found for c in checks)


# --- tracers


def test_tracers_that_work() -> None:
    checks = tracers.judge({"strace": None, "tracefs": None})
    assert [c.name for c in checks] == ["strace", "tracefs"]
    assert {c.state for c in checks} == {State.OK}
    assert all(c.found.startswith("can trace system calls") for c in checks)


def test_a_tracer_that_does_not_work_is_a_warning_with_its_reason_and_the_other() -> None:
    why = "tracefs may not be mounted"
    strace, tracefs = tracers.judge({"strace": None, "tracefs": why})
    assert strace.state is State.OK
    assert tracefs.state is State.WARNING
    assert tracefs.found == f"does not work: {why}"
    assert tracefs.means == "`labctl trace` uses strace"
    assert tracefs.fix is not None
    assert "SYS_ADMIN" in tracefs.fix.what


def test_where_no_tracer_works_it_is_said() -> None:
    checks = tracers.judge({"strace": "PTRACE_TRACEME: Operation not permitted", "tracefs": "no"})
    assert {c.state for c in checks} == {State.WARNING}
    assert {c.means for c in checks} == {"`labctl trace` does not work"}
    assert "Operation not permitted" in checks[0].found


# --- Python


def test_a_missing_module_is_named_with_its_package() -> None:
    check = python.judge({"pytest": "pytest", "no_such_module": "no-such-package"})
    assert check.state is State.FAILED
    assert "no-such-package" in check.found
    assert check.fix is not None
    assert check.fix.command is not None
    assert check.fix.command.endswith("-m pip install pytest no-such-package")


# --- showing

CHECKS = [
    Check("engine", State.OK, "Docker 27 [x]", "unseen", Fix("nothing")),
    Check("images", State.WARNING, "to be built", "slow", Fix("Build", "build it", print)),
    Check("Compose", State.FAILED, "missing", "no labs", Fix("Install it", "apt-get install x")),
]


def test_plain_lines() -> None:
    assert showing.lines(CHECKS) == [
        "ok           engine   Docker 27 [x]",
        "                      unseen",
        "warning      images   to be built",
        "                      slow",
        "                      fix: Build",
        "                      fix: `build it` (`labctl doctor --fix` does it)",
        "failed       Compose  missing",
        "                      no labs",
        "                      fix: Install it",
        "                      fix: `apt-get install x`",
    ]
    assert showing.summary(CHECKS) == "1 ok, 1 warning, 1 failed"


def test_the_table_holds_the_same() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(showing.table(CHECKS))
    file = console.file
    assert isinstance(file, io.StringIO)
    for words in ("Docker 27 [x]", "to be built", "fix: `apt-get install x`"):
        assert words in file.getvalue()


def test_json() -> None:
    told = showing.as_json(CHECKS)
    assert told["ok"] is False
    assert told["checks"][1] == {
        "name": "images",
        "state": "warning",
        "found": "to be built",
        "means": "slow",
        "fix": {"what": "Build", "command": "build it", "safe": True},
    }
    assert showing.as_json(CHECKS[:2])["ok"] is True
