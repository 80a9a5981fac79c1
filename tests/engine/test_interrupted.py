"""An `up` that is interrupted or killed leaves nothing, or what `clean` removes."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

import pytest

from labctl.engine.client import Engine

from .conftest import WriteLab, command, labctl, things

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


def test_clean_removes_what_a_killed_up_left(
    engine: Engine, name: str, write_lab: WriteLab, duration: float
) -> None:
    file = str(write_lab(FOUR))
    left_something = 0
    for moment in range(MOMENTS):
        code, _ = up_and_signal(file, name, signal.SIGKILL, duration * moment / MOMENTS)
        left_something += bool(things(engine, name))
        cleaned = labctl("clean")
        assert cleaned.code == 0, cleaned.err
        assert things(engine, name) == [], f"killed at moment {moment}, ended with {code}"
    assert left_something, "no moment was within the time in which the lab is made"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing(
    engine: Engine, name: str, write_lab: WriteLab, duration: float, number: signal.Signals
) -> None:
    file = str(write_lab(FOUR))
    for part in (0.2, 0.4, 0.6, 0.8):
        code, said = up_and_signal(file, name, number, duration * part)
        assert "Traceback" not in said
        if code == 0:  # it was quicker this time: the lab is up, which is no less whole
            assert labctl("down", name).code == 0
        else:
            assert code in (130, -number), said
        assert things(engine, name) == []


def test_clean_leaves_a_lab_that_is_up(name: str, write_lab: WriteLab) -> None:
    assert labctl("up", str(write_lab(FOUR)), "--name", name).code == 0
    assert labctl("clean").code == 0
    assert labctl("ps", name, "--json").json[0]["state"] == "ready"


def test_up_over_remains_names_clean(engine: Engine, name: str, write_lab: WriteLab) -> None:
    engine.sdk.volumes.create(f"{name}-remains", labels={"labctl.name": name})
    up = labctl("up", str(write_lab(FOUR)), "--name", name)
    assert up.code == 2
    assert "labctl clean" in up.err
