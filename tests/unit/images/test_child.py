"""A child's lines are passed on as they come, and its end is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labctl.engine.images.child import KEPT_LINES, stream
from labctl.errors import MachineError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_lines_of_both_outputs_are_passed_on() -> None:
    lines: list[str] = []
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(4)"
    outcome = stream(python(code), os.environ, lines.append)
    assert lines == ["out", "err"]
    assert (outcome.code, outcome.ok, outcome.last) == (4, False, lines)


def test_only_the_last_lines_are_kept() -> None:
    outcome = stream(python("for n in range(100): print(n)"), os.environ, lambda _line: None)
    assert outcome.ok
    assert outcome.last == [str(n) for n in range(100 - KEPT_LINES, 100)]
    assert outcome.quoted().splitlines()[-1] == "  99"


def test_a_line_that_is_overwritten_shows_its_end() -> None:
    outcome = stream(python("print('1%\\r50%\\r100%')"), os.environ, lambda _line: None)
    assert outcome.last == ["100%"]


def test_output_can_go_to_a_file(tmp_path: Path) -> None:
    lines: list[str] = []
    code = "import sys; sys.stdout.buffer.write(bytes(range(256))); print('x', file=sys.stderr)"
    with (tmp_path / "out").open("wb") as output:
        assert stream(python(code), os.environ, lines.append, output=output).ok
    assert (tmp_path / "out").read_bytes() == bytes(range(256))
    assert lines == ["x"]


def test_a_silent_child_is_ended() -> None:
    code = "import time; time.sleep(600)"
    outcome = stream(python(code), os.environ, lambda _line: None, silent_for=0.2)
    assert outcome.timed_out
    assert not outcome.ok


def test_a_child_that_spoke_once_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[threading.Timer] = []

    class ByHand(threading.Timer):
        """Its time is over when `run` is called: Python may take long to start."""

        def start(self) -> None:
            self.interval = 0.0
            made.append(self)

    monkeypatch.setattr(threading, "Timer", ByHand)
    code = "print('now', flush=True); print('done')"
    outcome = stream(python(code), os.environ, lambda _line: made[0].run(), silent_for=60)
    assert outcome.ok
    assert outcome.last == ["now", "done"]


def test_an_interrupted_caller_leaves_no_child() -> None:
    children: list[subprocess.Popen[bytes]] = []

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    code = "import time; print('started', flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        stream(python(code), os.environ, interrupt, started=children.append)
    assert children[0].poll() is not None


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(MachineError, match="cannot run no-such-program"):
        stream(["no-such-program"], os.environ, lambda _line: None)
