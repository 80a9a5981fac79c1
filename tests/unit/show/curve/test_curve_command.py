"""`labctl curve`: what was measured is printed and written, whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from labctl.cli import curve as command
from labctl.cli import curve_files, main
from labctl.errors import CheckFailed, LabctlError, MachineError
from labctl.play.curve import Curve, Measured, Point
from labctl.show.curve import words

CURVE = Curve("somebody asks", "questions", (Point(10, 20, 20, 10, 0.01, 0.02),))
LATE = CheckFailed("`crowd` on host a did not end within 5 s")
GONE = MachineError("host a ended")


def curve(
    monkeypatch: pytest.MonkeyPatch, measured: Measured, *options: object
) -> tuple[str, str, BaseException | None, int]:
    """Run the command where this is measured: output, errors, what is raised, exit code."""
    monkeypatch.setattr(command, "_measured", lambda *_: measured)
    argv = ["curve", "a", *map(str, options), "--", "crowd"]
    done = CliRunner().invoke(main.build(["curve"]), argv)
    return done.stdout, done.stderr, done.exception, done.exit_code


@pytest.mark.parametrize("wrong", [LATE, GONE])
def test_one_that_is_cut_short_is_printed_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: LabctlError
) -> None:
    file = tmp_path / "c.json"
    out, said, raised, _ = curve(monkeypatch, Measured(CURVE, wrong), "-o", file)
    assert raised is wrong
    assert out.startswith("somebody asks: 10 questions a second at the most")
    assert "missing: what would have come after 10 questions a second\n" in said
    assert curve_files.read(file) == [CURVE]


def test_an_interrupted_one_is_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    measured = Measured(CURVE, interrupted=True)
    out, said, _, code = curve(monkeypatch, measured, "-o", file, "--json")
    assert json.loads(out)[0]["title"] == CURVE.title
    assert "missing: what would have come after 10 questions a second\n" in said
    assert curve_files.read(file) == [CURVE]
    assert code != 0
    monkeypatch.setattr(command, "_measured", lambda *_: measured)
    with pytest.raises(typer.Abort):
        command.curve(_Context(), "a")  # type: ignore[arg-type]


class _Context:
    """The command line's context, with a command after `--`."""

    def __init__(self) -> None:
        self.meta: dict[str, Any] = {"labctl.command": ["crowd"]}


def test_a_file_that_cannot_be_written_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad, good = tmp_path / "c.svg", tmp_path / "c.json"
    monkeypatch.setattr(curve_files, "require_files", lambda files: None)
    bad.mkdir()
    out, said, raised, _ = curve(monkeypatch, Measured(CURVE, LATE), "-o", bad, "-o", good)
    assert isinstance(raised, MachineError)
    assert "c.svg cannot be written" in raised.message
    assert LATE.message in said
    assert "answers a second" in out, "the picture is nowhere else"
    assert curve_files.read(good) == [CURVE]


def test_output_that_cannot_be_printed_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_curve: Curve) -> str:
        raise GONE

    monkeypatch.setattr(words, "summary", full)
    _, _, raised, _ = curve(monkeypatch, Measured(CURVE), "-o", tmp_path / "c.json")
    assert raised is GONE
    assert curve_files.read(tmp_path / "c.json") == [CURVE]
