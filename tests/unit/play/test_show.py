"""How results are shown."""

from __future__ import annotations

import json

from labctl.play.results import ScenarioResult, StepResult, StepState
from labctl.show import scenario as showing


def step(name: str, state: StepState, code: int | None = None, **told: object) -> StepResult:
    values: dict[str, object] = {
        "name": name,
        "host": "a",
        "command": f"run [red] {name}",
        "background": False,
        "state": state,
        "code": code,
        "seconds": None if code is None else 1.23456,
        "waited": None if code is None else 0.00001,
        "stdout": "",
        "stderr": "",
        "why": "",
    }
    return StepResult(**(values | told))  # type: ignore[arg-type]


FAILED = ScenarioResult(
    "download",
    "tcp-1",
    (
        step("server", StepState.PASSED, 2, background=True, stderr="no such file\n"),
        step("file", StepState.PASSED, 0, stdout="made 1 file\n"),
        step("fetch", StepState.FAILED, 3, stdout="one\ntwo\n", stderr="late\n", why="exit code 3"),
        step("check", StepState.NOT_RUN),
    ),
)


def test_the_table_shows_commands_as_they_are() -> None:
    lines = [" ".join(line.split()) for line in showing.text(FAILED).splitlines()]
    assert lines[0] == "STEP HOST COMMAND WAITED SECONDS EXIT STATE"
    assert lines[1] == "server a run [red] server & 0.00 1.23 2 passed"
    assert lines[4] == "check a run [red] check not run"


def test_failures_hold_all_that_matters() -> None:
    assert showing.failures(FAILED) == (
        "server on a: exit code 2\n  its errors:\n    no such file\n"
        "fetch on a: exit code 3\n  its output:\n    one\n    two\n  its errors:\n    late"
    )


def test_a_scenario_that_passed_has_no_failures() -> None:
    passed = ScenarioResult("x", "tcp-1", FAILED.steps[:2])
    assert passed.passed and showing.failures(passed) == ""


def test_a_line_a_step() -> None:
    assert [showing.line(s) for s in FAILED.steps[1:3]] == [
        "file: passed in 1.23 s: made 1 file",
        "fetch: failed in 1.23 s: exit code 3",
    ]


def test_json_is_plain_and_rounded() -> None:
    told = json.loads(json.dumps(showing.as_json(FAILED)))
    assert told["passed"] is False
    assert told["steps"][2]["state"] == "failed" and told["steps"][2]["seconds"] == 1.235
    assert told["steps"][3]["seconds"] is None


def test_a_result_says_in_one_line_how_it_went() -> None:
    assert repr(FAILED) == "<scenario download: failed at fetch: exit code 3>"


def test_a_long_command_is_shortened() -> None:
    assert showing.one_line("a\n  b " + "c" * 100) == "a b " + "c" * 53 + "..."
