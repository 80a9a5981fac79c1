"""An interrupt ends a command with 130 and no traceback, wherever in Python it comes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import signal, sys, time, weakref
from labctl.cli import interrupts, main

class Thing:
    pass

def inside(_=None):
    signal.raise_signal({number})

def command(**_):
    print("begun", flush=True)
    {act}
    time.sleep(20)
    print("not interrupted")

{more}
main.build = lambda _modules: command
main.run()
"""

TEXT = "exec('inside()')"
CALLBACK = "thing = Thing(); held = weakref.ref(thing, inside); del thing"
LAST_WORD = "Thing.__del__ = inside; Thing()"
HOOK = "interrupts._raise_later = late(interrupts._raise_later)"
LATE = """
def late(real):
    def raise_later():  # a second interrupt, while the first is dealt with
        interrupts._raise_later = real
        real()
        signal.raise_signal(signal.SIGTERM)
    return raise_later
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program as `python -m` does, and return how it ended."""

    def start(program: str, *before: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(program)
        return subprocess.run(
            [*before, sys.executable, "-m", "program"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )

    return start


@pytest.mark.parametrize("number", ["signal.SIGINT", "signal.SIGTERM", "signal.SIGHUP"])
@pytest.mark.parametrize("act", ["inside()", TEXT, CALLBACK, LAST_WORD, f"{HOOK}; {CALLBACK}"])
def test_it_is_never_lost(run: Run, number: str, act: str) -> None:
    done = run(PROGRAM.format(number=number, act=act, more=LATE))
    assert (done.returncode, done.stdout, done.stderr) == (130, "begun\n", "")


def test_one_that_comes_when_another_was_caught_is_as_quiet(run: Run) -> None:
    more = "first = interrupts.ignore; interrupts.ignore = lambda: (inside(), first())"
    done = run(PROGRAM.format(number="signal.SIGTERM", act="inside()", more=more))
    assert (done.returncode, done.stdout, done.stderr) == (130, "begun\n", "")


def test_other_faults_of_a_callback_are_told(run: Run) -> None:
    act = "Thing.__del__ = lambda self: 1 / 0; Thing(); inside()"
    done = run(PROGRAM.format(number="signal.SIGINT", act=act, more=""))
    assert done.returncode == 130
    assert "ZeroDivisionError" in done.stderr


def test_under_nohup_it_goes_on_when_its_terminal_is_closed(run: Run) -> None:
    act = "inside(); print('goes on', flush=True); signal.raise_signal(signal.SIGTERM)"
    done = run(PROGRAM.format(number="signal.SIGHUP", act=act, more=""), "nohup")
    assert (done.returncode, done.stdout) == (130, "begun\ngoes on\n")


def test_a_second_one_while_an_error_is_told_is_as_quiet(run: Run) -> None:
    act = "main.tell = lambda _error: inside(); raise LabctlError('no', 'none')"
    more = "from labctl.errors import LabctlError"
    done = run(PROGRAM.format(number="signal.SIGINT", act=act, more=more))
    assert (done.returncode, done.stderr) == (130, "")
