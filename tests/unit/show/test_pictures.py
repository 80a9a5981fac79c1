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
    [
        ("a.png", "files ending in .png"),
        ("a", "no suffix"),
        ("no/a.svg", "there is no folder"),
        ("folder.svg", "it is a folder"),
        (f"{'a' * 300}.svg", "cannot be written"),
        ("/proc/a.svg", "/proc/a.svg cannot be written"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(UsageError, match=said):
        pictures.require_forms([tmp_path / "a.svg", tmp_path / name])
    assert [one.name for one in tmp_path.iterdir()] == ["folder.svg"]


def test_packets_are_refused_where_nothing_is_played(tmp_path: Path) -> None:
    pictures.require_forms([tmp_path / "a.pcapng"])
    with pytest.raises(UsageError, match="not in a file of events"):
        pictures.require_forms([tmp_path / "a.pcapng"], played=False)


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(MachineError, match="cannot be written"):
        pictures.write(judge(exchange()), Options(), tmp_path / "a.svg")
    assert [one.name for one in tmp_path.iterdir()] == ["a.svg"]


def test_what_cannot_be_written_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    for folder in ("a.svg", "b.html"):
        (tmp_path / folder).mkdir()
    files = [tmp_path / name for name in ("a.svg", "a.txt", "b.html", "a.mmd")]
    told: list[str] = []
    wrong = pictures.write_all(judge(exchange()), Options(), files, told.append)
    assert [line.partition(":")[0] for line in told] == [str(files[1]), str(files[3])]
    assert files[1].is_file()
    assert files[3].is_file()
    assert isinstance(wrong, MachineError)
    assert [line.partition(" ")[0] for line in wrong.message.splitlines()] == [
        str(files[0]),
        str(files[2]),
    ]
    assert pictures.write_all(judge(exchange()), Options(), files[1:2], told.append) is None
