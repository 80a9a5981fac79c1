"""What was seen, written to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.cli import pictures
from labctl.errors import MachineError, UsageError
from labctl.play.judged import judge
from labctl.sequence import jsonl
from labctl.sequence.pattern import parse
from labctl.show.figure.model import Options
from tests.unit.sequence.exchanges import exchange
from tests.unit.show.figure.reading import parsed
from tests.unit.show.figure.recordings import refused

BEGINNINGS = {
    ".svg": "<svg ",
    ".html": "<!doctype html>",
    ".mmd": "sequenceDiagram\n",
    ".txt": "exchange\n",
    ".jsonl": "{",
}


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_the_suffix_names_the_form(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"trace{suffix}"
    pictures.require_forms([file])
    size = pictures.write(judge(exchange()), Options(), file)
    assert file.stat().st_size == size
    assert file.read_text(encoding="utf-8").startswith(BEGINNINGS[suffix])
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    judged = judge(exchange())
    pictures.write(judged, Options(), tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert jsonl.load(lines, "a.jsonl") == judged.timeline.recording
    pictures.write(judged, Options(), tmp_path / "a.svg")
    parsed((tmp_path / "a.svg").read_text(encoding="utf-8"))


def test_the_page_has_verdict_and_diagnoses(tmp_path: Path) -> None:
    judged = judge(refused(), parse({"client": ["socket", "connect", "send", "close"]}))
    pictures.write(judged, Options(), tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "not as the pattern says: 1 of 1 connection" in page
    assert judged.diagnoses[0].advice in page


def test_packets_are_not_in_events(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a file of events"):
        pictures.write(judge(exchange()), Options(), tmp_path / "a.pcapng")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.png", "files ending in .png"), ("a", "no suffix"), ("no/a.svg", "there is no folder")],
)
def test_a_file_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        pictures.require_forms([tmp_path / name])


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(MachineError, match="cannot be written"):
        pictures.write(judge(exchange()), Options(), tmp_path / "a.svg")
    assert [one.name for one in tmp_path.iterdir()] == ["a.svg"]
