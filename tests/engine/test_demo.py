"""`labctl demo`: what `make demo` runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.play.demo import default_file, shared_name

from .conftest import labctl, things


@pytest.mark.parametrize("size", [0, 1_234_567])
def test_a_file_goes_both_ways(engine: Engine, tmp_path: Path, size: int) -> None:
    file = tmp_path / "a song.mp3"
    file.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    figure = tmp_path / "seen.html"
    ran = labctl("demo", "--file", str(file), "--figure", str(figure), "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["figure"] == str(figure)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert {proof["sha256"] for proof in told["proofs"]} == {digest}
    assert [p["host"] for p in told["proofs"]] == ["server", "client", told["chosen"], "x"]
    assert set(told["holders"]) == {"a", "b"}
    assert told["chosen"] in told["holders"]
    ends = [(e["sender"], e["receiver"]) for e in told["exchanges"]]
    assert ends[:3] == [("server", "client"), ("x", "directory"), ("directory", "x")]
    assert ends[-1] == (told["chosen"], "x")
    assert told["exchanges"][0]["bytes"] == told["exchanges"][-1]["bytes"] == size
    name = ran.err.partition("lab ")[2].partition(" is up")[0]
    assert name.startswith("default-")
    assert things(engine, name) == []


def test_the_table_is_for_people(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello\n")
    figure = tmp_path / "seen.html"
    ran = labctl("demo", "--file", str(file), "--figure", str(figure))
    assert ran.code == 0, ran.err
    for words in ("the file, from a server", "All are the same, bit for bit.", "labctl list"):
        assert words in ran.out
    assert str(figure) in ran.out


def test_it_ends_with_the_download_as_it_was_seen_on_both_hosts(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello\n")
    figure = tmp_path / "seen.html"
    ran = labctl("demo", "--file", str(file), "--figure", str(figure))
    assert ran.code == 0, ran.err
    drawn = ran.out.partition("What client and server did")[2]
    server = ("socket(", "bind(", "listen(", "accept(", "recv(", "send(", "close(")
    client = ("socket(", "connect(", "send(", "recv", "close(")
    for words in (*server, *client, "SYN+ACK", "FIN", "established"):
        assert words in drawn, words
    page = figure.read_text(encoding="utf-8")
    assert "<svg" in page
    assert "SYN+ACK" in page


def test_a_figure_that_cannot_be_written_is_told_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello\n")
    for figure, words in (("seen.pdf", "files ending in .pdf"), ("none/seen.html", "no folder")):
        ran = labctl("demo", "--file", str(file), "--figure", str(tmp_path / figure))
        assert ran.code == 2
        assert words in ran.err
        assert "up" not in ran.err.splitlines()[0]


def test_a_file_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path) -> None:
    ran = labctl("demo", "--file", str(tmp_path / "none"))
    assert ran.code == 2
    assert "there is no file" in ran.err
    assert "up" not in ran.err


def test_the_default_file_has_some_megabytes() -> None:
    assert default_file().stat().st_size >= 1 << 20


@pytest.mark.parametrize(
    ("name", "shared"),
    [("song.mp3", "song.mp3"), ('my "best" song.mp3', "my_best_song.mp3"), (".hidden", "hidden")],
)
def test_the_name_can_be_asked_for(name: str, shared: str) -> None:
    assert shared_name(Path(name)) == shared
