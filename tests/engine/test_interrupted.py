"""An `up` that is interrupted or killed leaves nothing, or what `clean` removes."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

import pytest

from labctl.engine import down, labels, live
from labctl.engine.client import Engine

from .conftest import HEAD, WriteLab, command, labctl, things

FOUR = "\n".join(
    f"h{i}: {{<<: *host, command: [sleep, inf], healthcheck: {{test: [CMD, 'true']}}}}"
    for i in range(4)
)
MOMENTS = 10


def up_and_signal(file: str, name: str, number: int, after: float) -> tuple[int, str]:
    """Start an `up`, send it a signal after some seconds; return its exit code and words."""
    child = subprocess.Popen(command("up", file, "--name", name), stderr=subprocess.PIPE, text=True)
    with suppress(subprocess.TimeoutExpired):
        child.wait(after)
    child.send_signal(number)
    _, said = child.communicate(timeout=120)
    return child.returncode, said


@pytest.fixture
def duration(name: str, write_lab: WriteLab) -> float:
    """How many seconds a whole `up` of the lab takes now."""
    begun = time.monotonic()
    assert labctl("up", str(write_lab(FOUR)), "--name", name).code == 0
    seconds = time.monotonic() - begun
    assert labctl("down", name).code == 0
    return seconds


def is_up(engine: Engine, name: str) -> bool:
    """Tell whether the lab is up as a whole: then it is no remains, and `clean` leaves it."""
    return any(lab.name == name and lab.state is live.State.READY for lab in live.labs(engine))


def test_clean_removes_what_a_killed_up_left(
    engine: Engine, name: str, write_lab: WriteLab, duration: float
) -> None:
    file = str(write_lab(FOUR))
    moment = left_something = 0
    while moment < MOMENTS:
        code, _ = up_and_signal(file, name, signal.SIGKILL, duration * moment / MOMENTS)
        if is_up(engine, name):  # it was quicker this time, and done before it was killed
            assert labctl("down", name).code == 0
            duration *= 0.8
            continue
        assert code == -signal.SIGKILL
        left_something += bool(things(engine, name))
        cleaned = labctl("clean")
        assert cleaned.code == 0, cleaned.err
        assert things(engine, name) == [], f"killed at moment {moment}"
        moment += 1
    assert left_something, "no moment was within the time in which the lab is made"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_up_leaves_nothing(
    engine: Engine, name: str, write_lab: WriteLab, duration: float, number: signal.Signals
) -> None:
    file = str(write_lab(FOUR))
    interrupted = 0
    for part in (0.3, 0.45, 0.6, 0.75):
        code, said = up_and_signal(file, name, number, duration * part)
        assert "Traceback" not in said
        if code == 0:  # it was quicker this time: the lab is up, which is no less whole
            assert labctl("down", name).code == 0
        else:
            assert code in (130, -number), said
            interrupted += 1
        assert things(engine, name) == []
    assert interrupted


def test_clean_leaves_a_lab_that_is_up(name: str, write_lab: WriteLab) -> None:
    assert labctl("up", str(write_lab(FOUR)), "--name", name).code == 0
    assert labctl("clean").code == 0
    assert labctl("ps", name, "--json").json[0]["state"] == "ready"


def test_up_over_remains_names_clean(engine: Engine, name: str, write_lab: WriteLab) -> None:
    engine.sdk.volumes.create(f"{name}-remains", labels={"labctl.name": name})
    up = labctl("up", str(write_lab(FOUR)), "--name", name)
    assert up.code == 2
    assert "labctl clean" in up.err


def test_clean_removes_the_copy_of_a_killed_run(engine: Engine, write_lab: WriteLab) -> None:
    head = HEAD.replace(
        "x-lab: {{title: a lab of a test}}",
        "x-lab:\n  title: t\n  scenarios: {{long: {{steps: [{{host: h0, run: sleep 300}}]}}}}",
    )
    file = write_lab(FOUR, head)
    before = {lab.name for lab in live.labs(engine)}
    child = subprocess.Popen(command("run", "--lab", str(file)), stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:  # until the step is under way
        if line.startswith("step 1") or "sleep 300" in line:
            break
    (copy,) = {lab.name for lab in live.labs(engine)} - before
    try:
        assert live.find(engine, copy).state is live.State.READY
        assert labctl("clean").code == 0
        assert things(engine, copy) != []
        child.kill()
        child.communicate()
        assert live.find(engine, copy).state is live.State.LEFT_OVER
        assert labctl("clean").code == 0
        assert things(engine, copy) == []
    finally:
        child.kill()
        down.down(engine, copy)


def test_clean_leaves_alone_what_another_machine_brings_up(engine: Engine, name: str) -> None:
    told = {labels.NAME: name, labels.OWNER: "0@some-other-machine"}
    engine.sdk.volumes.create(f"{name}-coming", labels=told)
    assert labctl("clean").code == 0
    assert things(engine, name) == [f"{name}-coming"]
    assert live.find(engine, name).state is live.State.ELSEWHERE
