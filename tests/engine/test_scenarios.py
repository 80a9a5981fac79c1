"""Scenarios played on real hosts, and the commands `run` and `verify`."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import inside, live
from labctl.engine.client import Engine
from labctl.engine.up import Reporter
from labctl.lab.lab import Lab
from labctl.lab.load import load
from labctl.lab.model import Scenario
from labctl.play.fresh import fresh
from labctl.play.player import Reporter as Told
from labctl.play.player import play
from labctl.play.results import ScenarioResult, StepState
from tests.engine.conftest import command, labctl, things

PASSED, FAILED, NOT_RUN, ENDED = StepState

LAB = """\
name: {name}
x-lab:
  title: two hosts for the tests of scenarios
  scenarios:
    good:
      steps:
        - {{name: server, host: b, run: [python3, -uc, "{server}"], background: true}}
        - name: client
          host: a
          when: {{listening: "b:9000"}}
          run: [bash, -c, "cat < /dev/tcp/b/9000"]
          expect: {{stdout: hello}}
    bad:
      steps:
        - {{name: hold, host: b, run: [sleep, "600"], background: true}}
        - {{name: wrong, host: a, run: "echo out; echo err >&2; exit 3"}}
        - {{name: never, host: a, run: "true"}}
    long:
      steps:
        - {{name: hold, host: b, run: [sleep, "601"], background: true}}
        - {{name: wait, host: a, run: "sleep 602; true"}}
services:
  a: &host
    image: labctl-host
    user: "1000:1000"
    cap_drop: [ALL]
    init: true
    networks: [lan]
  b: *host
networks:
  lan: {{internal: true}}
"""
SERVER = (
    "import socket; s = socket.create_server(('', 9000)); c, _ = s.accept(); "
    "c.sendall(b'hello'); c.close(); s.accept()"
)


def written(folder: Path) -> Path:
    """Write the lab into a folder; its name is one that no other has."""
    name = f"t{secrets.token_hex(4)}"
    file = folder / name / "compose.yaml"
    file.parent.mkdir()
    file.write_text(LAB.format(name=name, server=SERVER))
    return file


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return load(written(tmp_path_factory.mktemp("labs")))


@pytest.fixture(scope="module")
def up(engine: Engine, model: Lab) -> Iterator[live.LiveLab]:
    with fresh(engine, model, Reporter()) as lab:
        yield lab


Played = Callable[..., ScenarioResult]


@pytest.fixture
def played(engine: Engine, up: live.LiveLab) -> Played:
    def on_it(*steps: dict[str, Any]) -> ScenarioResult:
        scenario = Scenario.model_validate({"steps": [{"host": "a", **s} for s in steps]})
        return play(engine, up, "try", scenario)

    return on_it


def processes(engine: Engine, lab: live.LiveLab, host: str) -> list[str]:
    """Return the commands that run on a host, beside its own and the one that looks."""
    done = inside.run(engine, lab.host(host), ["ps", "-eo", "args", "--no-headers"])
    lines = done.stdout.decode().splitlines()
    own = ("ps -eo", "sleep infinity", "/sbin/docker-init")
    return [line for line in lines if not line.startswith(own)]


@pytest.fixture(autouse=True)
def nothing_left(engine: Engine, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did with the module's lab, nothing runs in its hosts afterwards."""
    yield
    if "played" in request.fixturenames:
        lab = request.getfixturevalue("up")
        assert [processes(engine, lab, host) for host in ("a", "b")] == [[], []]


def test_a_server_and_its_client(engine: Engine, up: live.LiveLab, model: Lab) -> None:
    result = play(engine, up, "good", model.x.scenarios["good"])
    assert [step.state for step in result.steps] == [ENDED, PASSED]
    assert result.passed and result.step("client").stdout == "hello"
    assert result.step("server").code == 143
    assert processes(engine, up, "b") == []


def test_streams_and_exit_code_are_the_programs_own(played: Played) -> None:
    (step,) = played({"run": "printf out; printf err >&2; exit 7", "expect": {"exit": 7}}).steps
    assert (step.state, step.stdout, step.stderr, step.code) == (PASSED, "out", "err", 7)


def test_what_a_program_reads_is_empty(played: Played) -> None:
    assert played({"run": "cat; echo done", "expect": {"stdout": "done"}, "timeout": 20}).passed


def test_a_step_out_of_time_is_ended_inside_the_host(played: Played) -> None:
    (step,) = played({"run": "sleep 603 & sleep 604; true", "timeout": 0.5}).steps
    assert step.state is FAILED and "still running after 0.5 s" in step.why


def test_a_daemon_and_a_stubborn_program_are_ended(played: Played) -> None:
    stubborn = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    result = played(
        {"run": "setsid sleep 605 >/dev/null 2>&1 &"},
        {"run": stubborn, "background": True, "name": "s"},
        {"run": "true", "when": {"output": {"step": "s", "contains": "up"}}},
    )
    assert [step.state for step in result.steps] == [PASSED, ENDED, PASSED]
    assert result.step("s").code == 137


def test_every_condition_on_real_hosts(played: Played) -> None:
    udp = (
        "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        "s.bind(('', 5300)); print('bound', flush=True); time.sleep(600)"
    )
    path = f"/tmp/{secrets.token_hex(4)}"
    result = played(
        {"run": ["python3", "-c", udp], "background": True, "name": "udp", "host": "b"},
        {"run": f"sleep 0.3; touch {path}", "background": True, "name": "file"},
        {
            "run": f"rm {path}",
            "when": {
                "listening": "b:5300/udp",
                "file": f"a:{path}",
                "output": {"step": "udp", "contains": "bound"},
                "ended": "file",
                "succeeds": {"host": "a", "run": f"test -e {path}"},
            },
        },
    )
    assert result.passed


def test_what_listens_instead_is_told(played: Played) -> None:
    listens = "import socket, time; s = socket.create_server(('', 9001)); time.sleep(600)"
    result = played(
        {"run": ["python3", "-c", listens], "background": True, "host": "b"},
        {"run": "true", "when": {"listening": "b:9001"}},
        {"run": "true", "when": {"listening": "b:9002"}, "timeout": 5},
    )
    assert [step.state for step in result.steps] == [ENDED, PASSED, FAILED]
    assert result.steps[2].why.endswith("tcp ports bound on b: 0.0.0.0:9001")


def test_a_command_that_is_not_there(played: Played) -> None:
    (step,) = played({"run": ["no-such-program"]}).steps
    assert "no such command on the host" in step.why and "no-such-program" in step.stderr


@pytest.mark.parametrize("background", [False, True])
def test_a_host_that_dies_during_a_step(engine: Engine, model: Lab, background: bool) -> None:
    steps: list[dict[str, Any]] = [
        {"host": "b", "run": "echo up; sleep 606", "background": True, "name": "hold"},
        {"host": "a", "run": "true", "when": {"output": {"step": "hold", "contains": "up"}}},
        {"host": "a", "run": "sleep 607"},
    ]
    if not background:
        steps = [{"host": "b", "run": "sleep 606"}, {"host": "a", "run": "true"}]
    scenario = Scenario.model_validate({"steps": steps})
    with fresh(engine, model, Reporter()) as lab:
        doomed = lab.host("b").container_id
        started = []

        def kill(name: str, host: str, command: str) -> None:
            started.append(name)
            if len(started) == len(steps) - (not background):
                _kill_when_busy(engine, doomed)

        result = play(engine, lab, "try", scenario, Told(starts=kill))
    failed = result.failed_step
    assert failed is not None and failed.host == "b"
    assert failed.why.startswith(f"host b of lab {lab.name} ended")


def _kill_when_busy(engine: Engine, container: str) -> None:
    def work() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            top = engine.sdk.api.top(container)["Processes"]
            if any("sleep 606" in " ".join(row) for row in top):
                break
            time.sleep(0.02)
        engine.sdk.api.kill(container)

    threading.Thread(target=work).start()


def test_run_on_a_lab_that_is_up(engine: Engine, up: live.LiveLab) -> None:
    good = labctl("run", "good", "--name", up.name, "--json")
    assert good.code == 0 and good.json["passed"] and good.json["name"] == up.name
    bad = labctl("run", "bad", "--name", up.name)
    assert bad.code == 1
    assert "exit code 3, where 0 was expected" in bad.err
    assert "    out\n" in bad.err and "    err\n" in bad.err
    assert "not run" in bad.out and "ended by us" in bad.out
    unknown = labctl("run", "goood", "--name", up.name)
    assert unknown.code == 2 and "did you mean `good`?" in unknown.err
    several = labctl("run", "--name", up.name)
    assert several.code == 2 and "several scenarios: good, bad, long" in several.err
    assert processes(engine, up, "a") == processes(engine, up, "b") == []


def test_run_when_the_labs_file_is_gone(engine: Engine, tmp_path: Path) -> None:
    file = written(tmp_path)
    with fresh(engine, load(file), Reporter()) as lab:
        file.unlink()
        ran = labctl("run", "good", "--name", lab.name)
    assert ran.code == 2 and f"the file of lab {lab.name} is gone: {file}" in ran.err


def test_run_on_a_copy_of_its_own(engine: Engine, tmp_path: Path) -> None:
    file = written(tmp_path)
    ran = labctl("run", "good", "--lab", str(file), "--json")
    assert ran.code == 0 and ran.json["passed"]
    name = ran.json["name"]
    assert name.startswith(f"{file.parent.name}-") and things(engine, name) == []
    assert f"taking lab {name} down" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(
    engine: Engine, up: live.LiveLab, number: signal.Signals
) -> None:
    child = subprocess.Popen(
        command("run", "long", "--name", up.name), stderr=subprocess.PIPE, text=True
    )
    assert child.stderr
    deadline = time.monotonic() + 30
    while not any("sleep 602" in p for p in processes(engine, up, "a")):
        assert time.monotonic() < deadline
    child.send_signal(number)
    assert child.wait(30) == 130
    child.stderr.close()
    assert processes(engine, up, "a") == processes(engine, up, "b") == []


TESTS = """\
def test_it_runs(host):
    assert host("a").process.filter(comm="sleep")

def test_its_scenario(lab):
    assert lab.run("good").passed
"""


def test_verify(engine: Engine, tmp_path: Path) -> None:
    good, bad = written(tmp_path), written(tmp_path)
    for file, text in ((good, TESTS), (bad, TESTS + "\ndef test_bad(lab): assert False\n")):
        (file.parent / f"test_{file.parent.name}.py").write_text(text)
    junit = tmp_path / "reports" / "junit.xml"
    ran = labctl("verify", str(good), str(bad), "--junit", str(junit), "--json")
    assert ran.code == 1
    counts = [(row["lab"], row["tests"], row["passed"], row["failed"]) for row in ran.json]
    assert counts == [(good.parent.name, 2, 2, 0), (bad.parent.name, 3, 2, 1)]
    cases = list(ET.parse(junit).iter("testcase"))
    assert len(cases) == 5 and len([c for c in cases if c.find("failure") is not None]) == 1
    for lab in live.labs(engine):
        assert lab.lab not in (good.parent.name, bad.parent.name)
    ran = labctl("verify", cwd=good.parent)
    assert ran.code == 0 and "passed" in ran.out


def test_verify_of_a_lab_without_tests(tmp_path: Path) -> None:
    file = written(tmp_path)
    ran = labctl("verify", str(file))
    assert ran.code == 2 and f"there is no test_{file.parent.name}.py beside" in ran.err


def test_verify_of_a_lab_without_tests_among_others(tmp_path: Path) -> None:
    lacking, empty, good = written(tmp_path), written(tmp_path), written(tmp_path)
    (empty.parent / f"test_{empty.parent.name}.py").write_text("")
    (good.parent / f"test_{good.parent.name}.py").write_text(TESTS)
    junit = tmp_path / "junit.xml"
    ran = labctl("verify", str(lacking), str(empty), str(good), "--json", "--junit", str(junit))
    assert ran.code == 2, ran.err
    names = [empty.parent.name, good.parent.name, lacking.parent.name]
    assert [(row["lab"], row["passed"]) for row in ran.json] == list(
        zip(names, (0, 2, 0), strict=True)
    )
    assert f"no test ran for {names[0]}" in ran.err
    assert f"there is no test_{names[2]}.py beside" in ran.err
    assert len(list(ET.parse(junit).iter("testcase"))) == 2


def test_verify_looks_first_whether_its_report_can_be_written(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = f"def test_it(lab): open('{tmp_path}/begun', 'w')\n"
    (file.parent / f"test_{file.parent.name}.py").write_text(text)
    for report in (tmp_path, file / "junit.xml", Path("/proc/junit.xml"), Path("/proc/x/y.xml")):
        ran = labctl("verify", str(file), "--junit", str(report))
        assert ran.code == 2 and "cannot be written" in ran.err, ran.err
    assert not (tmp_path / "begun").exists()


def test_verify_of_an_unknown_lab(tmp_path: Path) -> None:
    ran = labctl("verify", "tpc", cwd=tmp_path)
    assert ran.code == 2 and "did you mean `tcp`?" in ran.err


def test_verify_without_an_engine(tmp_path: Path) -> None:
    file = written(tmp_path)
    (file.parent / f"test_{file.parent.name}.py").write_text(TESTS)
    ran = labctl("verify", str(file), DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert ran.code == 3 and "no Docker engine is running" in ran.err


def test_an_interrupted_verify_takes_its_lab_down(engine: Engine, tmp_path: Path) -> None:
    file = written(tmp_path)
    name = file.parent.name
    text = (
        f"import time\ndef test_it(lab):\n    open('{tmp_path}/begun', 'w')\n    time.sleep(60)\n"
    )
    (file.parent / f"test_{name}.py").write_text(text)
    child = subprocess.Popen(
        command("verify", str(file)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(60) == 130
    assert [lab.name for lab in live.labs(engine) if lab.lab == name] == []
