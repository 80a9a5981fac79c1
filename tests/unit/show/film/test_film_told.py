"""How a film ends: neither what is printed nor what is written is lost by the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from labctl.cli import film as command
from labctl.errors import MachineError
from labctl.play.stepping import Filmed

from .test_film import FILM

INTERRUPTED = Filmed(FILM, None)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_that_cannot_be_written_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    bad, good = tmp_path / "x.html", tmp_path / "x.jsonl"
    bad.mkdir()
    said: list[str] = []
    with pytest.raises(MachineError, match=r"x\.html cannot be written"):
        command.tell(INTERRUPTED, [bad, good], as_json, said.append)
    out = capsys.readouterr().out
    assert "bind(" in out or '"bind"' in out
    lines = good.read_text().splitlines()
    assert [json.loads(line) for line in lines]
    assert f"{good}: {good.stat().st_size:,} bytes, {len(FILM.frames)} frames" in said


def test_output_that_cannot_be_printed_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_film: object) -> None:
        raise MachineError("standard output cannot be written")

    file = tmp_path / "x.jsonl"
    real = command._lines
    monkeypatch.setattr(command, "print", full, raising=False)
    with pytest.raises(MachineError, match="standard output"):
        command.tell(INTERRUPTED, [file], True, lambda line: None)
    assert file.read_text().splitlines() == list(real(FILM))


def test_a_film_that_was_written_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Abort):
        command.tell(INTERRUPTED, [tmp_path / "x.html"], False, lambda line: None)
    assert capsys.readouterr().out == ""
