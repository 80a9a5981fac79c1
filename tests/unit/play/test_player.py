from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from labctl.engine.inside import Done
from labctl.engine.output import Output
from labctl.lab.model import Scenario
from labctl.play.player import Reporter, play_on
from labctl.play.results import ScenarioResult, StepState

if TYPE_CHECKING:
    from tests.unit.play.conftest import LocalCommand, LocalHosts

PASSED, FAILED, NOT_RUN, ENDED = StepState
PATIENT = 10.0
"""A grace for what does something when it gets SIGTERM: so long may a busy machine need for it."""


def played(
    hosts: LocalHosts, *steps: dict[str, Any], grace: float = 2, **kw: Any
) -> ScenarioResult:
    scenario = Scenario.model_validate({"steps": [{"host": "a", **step} for step in steps]})
    return play_on(hosts, "lab-1", "try", scenario, grace=grace, **kw)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for its parent (a zombie, proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):  # the latter where it goes while it is read
        return True


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def states(result: ScenarioResult) -> list[StepState]:
    return [step.state for step in result.steps]


def test_steps_run_in_their_order(hosts: LocalHosts, tmp_path: Path) -> None:
    file = tmp_path / "said"
    result = played(
        hosts,
        {"run": f"echo one >> {file}"},
        {"run": ["sh", "-c", f"echo two >> {file}; echo out; echo err >&2"], "name": "second"},
    )
    assert result.passed and file.read_text() == "one\ntwo\n"
    second = result.step("second")
    assert (second.stdout, second.stderr, second.code) == ("out\n", "err\n", 0)
    assert result.steps[0].name == "step 1"
    assert second.seconds is not None and second.waited is not None


def test_a_failed_step_stops_the_scenario(hosts: LocalHosts, tmp_path: Path) -> None:
    result = played(hosts, {"run": "exit 3"}, {"run": f"touch {tmp_path}/x"}, {"run": "sleep 60"})
    assert states(result) == [FAILED, NOT_RUN, NOT_RUN]
    assert not result.passed and not (tmp_path / "x").exists()
    assert result.steps[0].why == "exit code 3, where 0 was expected"
    assert result.steps[1].seconds is None and result.steps[1].code is None


def test_another_exit_code_may_be_expected(hosts: LocalHosts) -> None:
    assert played(hosts, {"run": "exit 3", "expect": {"exit": 3}}).passed
    unexpected = played(hosts, {"run": "true", "expect": {"exit": 3}})
    assert unexpected.steps[0].why == "exit code 0, where 3 was expected"


def test_output_may_be_expected(hosts: LocalHosts) -> None:
    assert played(hosts, {"run": "echo 200 OK", "expect": {"stdout": "200 OK"}}).passed
    other = played(hosts, {"run": "echo 404; echo 200 OK >&2", "expect": {"stdout": "200 OK"}})
    assert other.steps[0].why == 'its output does not contain "200 OK"; its last line is "404"'


def test_a_command_that_is_not_there(hosts: LocalHosts) -> None:
    (step,) = played(hosts, {"run": ["no-such-program"]}).steps
    assert step.why == "exit code 127 (no such command on the host), where 0 was expected"
    assert "no-such-program" in step.stderr


def begun_before_its_time(
    hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch, how: str, has_begun: Callable[[], bool]
) -> None:
    """Let the time of a command run from when it has begun; a busy machine may need it for that."""
    start = getattr(hosts, how)

    def begun(
        host: str, argv: Sequence[str], env: Mapping[str, str], output: Output
    ) -> LocalCommand:
        command: LocalCommand = start(host, argv, env, output)
        wait_until(has_begun)
        return command

    monkeypatch.setattr(hosts, how, begun)


def test_a_step_is_ended_when_its_time_is_over(
    hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun_before_its_time(hosts, monkeypatch, "start", (tmp_path / "begun").exists)
    began = time.monotonic()
    run = f"echo begun; touch {tmp_path}/begun; sleep 60; true"
    (step,) = played(hosts, {"run": run, "timeout": 0.5}).steps
    assert step.state is FAILED and step.stdout == "begun\n"
    assert step.why == "it was still running after 0.5 s, and was ended"
    assert time.monotonic() - began < 30


def test_background_steps_go_on_and_are_ended(hosts: LocalHosts, tmp_path: Path) -> None:
    server = f"trap 'echo bye; exit 0' TERM; touch {tmp_path}/up; while :; do sleep 0.05; done"
    result = played(
        hosts,
        {"run": server, "background": True, "name": "server"},
        {"run": "true", "when": {"file": f"a:{tmp_path}/up"}},
        grace=PATIENT,
    )
    assert states(result) == [ENDED, PASSED] and result.passed
    assert (result.steps[0].stdout, result.steps[0].code) == ("bye\n", 0)


def test_a_background_step_that_does_not_listen_to_sigterm(hosts: LocalHosts) -> None:
    server = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    result = played(
        hosts,
        {"run": server, "background": True, "name": "server"},
        {"run": "true", "when": {"output": {"step": "server", "contains": "up"}}},
        grace=0.2,
    )
    assert states(result) == [ENDED, PASSED] and result.steps[0].code == 137


def test_what_a_passed_step_left_in_the_background_is_ended(
    hosts: LocalHosts, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    daemon = f"echo $$ > {file}.new; mv {file}.new {file}; exec sleep 60"
    left = f"setsid sh -c '{daemon}' >/dev/null 2>&1 &"
    result = played(hosts, {"run": left}, {"run": "true", "when": {"file": f"a:{file}"}})
    assert result.passed
    assert has_ended(int(file.read_text()))


def test_a_background_step_may_end_as_it_likes(hosts: LocalHosts) -> None:
    result = played(
        hosts,
        {"run": "exit 9", "background": True, "name": "b"},
        {"run": "true", "when": {"ended": "b"}},
    )
    assert states(result) == [PASSED, PASSED] and result.steps[0].code == 9


def test_a_background_step_with_expectations_fails_at_once(hosts: LocalHosts) -> None:
    result = played(
        hosts,
        {"run": "sleep 0.3; exit 9", "background": True, "name": "b", "expect": {}},
        {"run": "sleep 60", "name": "long"},
        {"run": "true"},
    )
    assert states(result) == [FAILED, ENDED, NOT_RUN]
    assert result.failed_step is result.steps[0]
    assert result.steps[0].why == "exit code 9, where 0 was expected"


def test_a_background_step_is_judged_by_how_it_takes_its_end(hosts: LocalHosts) -> None:
    server = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"
    ready = {"run": "true", "when": {"output": {"step": "s", "contains": "up"}}}
    step = {"background": True, "name": "s", "expect": {"exit": 0}}
    assert played(hosts, {**step, "run": server}, ready, grace=PATIENT).passed
    killed = played(hosts, {**step, "run": "echo up; exec sleep 60"}, ready)
    assert states(killed) == [FAILED, PASSED]
    assert "exit code 143 (SIGTERM)" in killed.steps[0].why


def test_the_time_waited_is_told(
    hosts: LocalHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = hosts.run

    def slow(host: str, argv: Sequence[str], timeout: float) -> Done:
        time.sleep(0.2)  # however late the wait begins, it takes as long as its first look
        return look(host, argv, timeout)

    began = time.monotonic()
    monkeypatch.setattr(hosts, "run", slow)
    result = played(
        hosts,
        {"run": f"touch {tmp_path}/x", "background": True, "name": "b"},
        {"run": "true", "when": {"file": f"a:{tmp_path}/x"}},
    )
    waited = result.steps[1].waited
    assert result.passed and waited is not None
    assert 0.2 <= waited <= time.monotonic() - began


def test_an_unmet_condition_names_who_died_before(hosts: LocalHosts) -> None:
    result = played(
        hosts,
        {"run": "exit 4", "background": True, "name": "server"},
        {"run": "true", "when": {"ended": "server"}},
        {"run": "true", "when": {"succeeds": {"host": "a", "run": "false"}}, "timeout": 0.3},
    )
    assert states(result) == [PASSED, PASSED, FAILED]
    assert result.steps[2].why.endswith("; step server ended with exit code 4")
    assert "`false` succeeds on a" in result.steps[2].why


def test_a_command_that_a_condition_runs_is_ended_too(
    hosts: LocalHosts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun_before_its_time(hosts, monkeypatch, "probe", (tmp_path / "begun").exists)
    hangs = f"echo $$ > {tmp_path}/pid; touch {tmp_path}/begun; sleep 60; true"
    result = played(
        hosts,
        {"run": "true", "when": {"succeeds": {"host": "a", "run": hangs}}, "timeout": 0.5},
    )
    assert states(result) == [FAILED] and "did not end" in result.steps[0].why
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_a_host_that_does_not_run(hosts: LocalHosts) -> None:
    hosts.dead.add("b")
    result = played(hosts, {"run": "true"}, {"run": "true", "host": "b"}, {"run": "true"})
    assert states(result) == [PASSED, FAILED, NOT_RUN]
    assert result.steps[1].why == "host b ended (exit code 137)"


def test_a_host_that_dies_during_a_step(hosts: LocalHosts, tmp_path: Path) -> None:
    def die() -> None:
        # The command may have begun before the player's thread has come to know it.
        wait_until(lambda: bool((tmp_path / "begun").exists() and hosts.started))
        hosts.dead.add("b")
        hosts.started[-1].kill()
        hosts.started[-1].wait(30)  # on a host that has ended the player does not

    killer = threading.Thread(target=die)
    killer.start()
    result = played(
        hosts, {"run": ["sh", "-c", f"touch {tmp_path}/begun; exec sleep 60"], "host": "b"}
    )
    killer.join()
    assert states(result) == [FAILED]
    assert result.steps[0].why == "host b ended (exit code 137)"


def test_an_interrupt_leaves_nothing_running(hosts: LocalHosts, tmp_path: Path) -> None:
    def interrupt() -> None:
        # The command may have begun before the player's thread has come to know it.
        wait_until(lambda: (tmp_path / "begun").exists() and len(hosts.started) == 2)
        signal.raise_signal(signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        played(
            hosts,
            {"run": "sleep 60; true", "background": True},
            {"run": f"touch {tmp_path}/begun; sleep 60; true"},
        )
    interrupter.join()
    assert len(hosts.started) == 2
    assert all(command.wait(30) for command in hosts.started)


def test_it_tells_as_it_goes(hosts: LocalHosts) -> None:
    told: list[tuple[str, ...]] = []
    reporter = Reporter(
        waits=lambda name, host, words: told.append(("waits", name, words)),
        starts=lambda name, host, command: told.append(("starts", name, command)),
        ended=lambda result: told.append(("ended", result.name, result.state.value)),
    )
    played(
        hosts,
        {"run": "echo up; sleep 60", "background": True, "name": "s"},
        {"run": "true", "name": "c", "when": {"output": {"step": "s", "contains": "up"}}},
        reporter=reporter,
    )
    assert told == [
        ("starts", "s", "echo up; sleep 60"),
        ("waits", "c", 'step s has printed "up"'),
        ("starts", "c", "true"),
        ("ended", "c", "passed"),
        ("ended", "s", "ended by us"),
    ]


def test_much_output_is_bounded_and_all_of_it_searched(hosts: LocalHosts) -> None:
    noise = f'{sys.executable} -c \'print("x" * 3000000 + "needle" + "y" * 3000000)\''
    (step,) = played(hosts, {"run": noise, "expect": {"stdout": "needle"}}).steps
    assert step.state is PASSED and len(step.stdout) < 1_100_000
