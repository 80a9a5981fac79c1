"""How `demo` ends: what happened is told, whatever goes wrong with its figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labctl.cli.demo import end
from labctl.errors import CheckFailed, MachineError
from labctl.play.demo import Proof, Told
from labctl.play.judged import judge
from tests.unit.sequence.exchanges import exchange


def told(*digests: str) -> Told:
    proofs = tuple(Proof(f"h{n}", "/song", digest) for n, digest in enumerate(digests))
    return Told("song.mp3", 5, {"a": "10.0.0.2"}, "a", (), proofs)


@pytest.fixture
def no_file(tmp_path: Path) -> Path:
    """A path that cannot be written."""
    (tmp_path / "seen.html").mkdir()
    return tmp_path / "seen.html"


def test_a_figure_that_cannot_be_written_loses_nothing_else(
    no_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MachineError, match="cannot be written"):
        end(told("1", "1"), judge(exchange()), no_file, as_json=False, kept=None)
    said = capsys.readouterr().out
    assert "All are the same, bit for bit." in said
    assert "connect(" in said
    assert str(no_file) not in said
    with pytest.raises(MachineError, match="cannot be written"):
        end(told("1", "1"), judge(exchange()), no_file, as_json=True, kept=None)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["whole"], shown["figure"]) == (True, None)


def test_copies_that_differ_are_the_first_thing_to_tell(no_file: Path) -> None:
    with pytest.raises(CheckFailed, match="differ"):
        end(told("1", "2"), judge(exchange()), no_file, as_json=True, kept=None)


def test_the_figure_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "seen.html"
    end(told("1", "1"), judge(exchange()), figure, as_json=False, kept="two")
    said = capsys.readouterr().out
    assert f"The same as a page to look around in: {figure}" in said
    assert "labctl down two" in said
    assert "<svg" in figure.read_text(encoding="utf-8")
