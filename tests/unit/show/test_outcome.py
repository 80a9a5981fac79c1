"""How `trace` ends: nothing of what was played is lost by what goes wrong afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console

from labctl.cli.outcome import Out, tell
from labctl.errors import MachineError, UsageError
from labctl.play.judged import judge
from labctl.sequence.pattern import parse
from labctl.show.figure.model import Options
from tests.unit.sequence.exchanges import exchange
from tests.unit.show.figure.recordings import refused

CONNECTED = "connect("
WANTED = parse({"client": ["socket", "connect", "send", "close"]})


def out(*files: Path, as_json: bool = False) -> tuple[Out, StringIO]:
    errors = StringIO()
    return Out(files, as_json, Console(file=errors, width=1000)), errors


def test_a_figure_that_is_in_no_file_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.svg").mkdir()
    where, errors = out(tmp_path / "a.svg", tmp_path / "a.mmd")
    with pytest.raises(MachineError, match=r"a\.svg cannot be written"):
        tell(judge(refused()), Options(), where, played=True)
    assert CONNECTED in capsys.readouterr().out
    assert f"{tmp_path / 'a.mmd'}: " in errors.getvalue()


def test_a_figure_that_is_in_files_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, errors = out(tmp_path / "a.mmd")
    tell(judge(refused()), Options(), where, played=True)
    assert CONNECTED not in capsys.readouterr().out
    assert f"{tmp_path / 'a.mmd'}: " in errors.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [(Options(connections=[99]), "no connection 99"), (Options(hosts=["x"]), "no host x")],
)
def test_what_was_not_seen_loses_no_play(
    options: Options, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where, _ = out()
    with pytest.raises(UsageError, match=said):
        tell(judge(refused()), options, where, played=False)
    assert capsys.readouterr().out == ""
    with pytest.raises(UsageError, match=said):
        tell(judge(refused()), options, where, played=True)
    assert CONNECTED in capsys.readouterr().out


def test_as_json_what_is_wrong_is_told_beside_the_events(
    capsys: pytest.CaptureFixture[str],
) -> None:
    where, errors = out(as_json=True)
    with pytest.raises(typer.Exit) as ended:
        tell(judge(refused(), WANTED), Options(), where, played=True)
    assert ended.value.exit_code == 1
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line)["event"]
    assert "not as the pattern says: 1 of 1 connection" in errors.getvalue()
    assert "[loopback-bound]" in errors.getvalue()


def test_an_interrupted_play_ends_so_after_it_was_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    where, _ = out()
    with pytest.raises(typer.Abort):
        tell(replace(judge(exchange(), WANTED), interrupted=True), Options(), where, played=True)
    assert "connect(" in capsys.readouterr().out


def test_the_table_of_connects_takes_the_place_of_the_figure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    where, _ = out()
    with pytest.raises(typer.Exit):
        tell(judge(refused(), WANTED), Options(), replace(where, connects=True), played=True)
    said = capsys.readouterr().out
    assert CONNECTED not in said.partition("\n\n")[0]
    assert "ECONNREFUSED" in said.partition("\n\n")[0]
    assert "not as the pattern says: 1 of 1 connection" in said


def test_connects_as_json_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    where, errors = out(as_json=True)
    tell(judge(refused()), Options(), replace(where, connects=True), played=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["errno"] == "ECONNREFUSED"
    assert "[loopback-bound]" in errors.getvalue()
