"""Curves: read from a program's lines, drawn in every form, and read again from a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.cli import curve_files
from labctl.cli.files import write_each
from labctl.errors import CheckFailed, UsageError
from labctl.play.curve import Curve, Point, parse
from labctl.show.curve import plot, terminal, words

POINTS = (
    Point(50, 100, 100, 50, 0.004, 0.02),
    Point(100, 200, 200, 98.5, 0.006, 0.1),
    Point(200, 400, 390, 130, 0.8, 2.1, wrong=3),
)
CURVE = Curve("ten peers search at $x", "searches", POINTS)


def lines(curve: Curve) -> list[str]:
    told = {"title": curve.title, "of": curve.of}
    return [json.dumps(told), "", *(json.dumps(asdict(point)) for point in curve.points)]


def test_it_is_read_as_it_was_told() -> None:
    assert parse(lines(CURVE), "x") == CURVE


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "x has told no curve"),
        (['{"title": "a", "of": "b"}'], "x has told no curve"),
        (["nonsense"], "x: line 1 is no part of a curve"),
        (["[]"], "x: line 1 is no part of a curve"),
        (["7"], "x: line 1 is no part of a curve"),
        (['{"load": 0, "asked": 1, "answered": 1, "per_second": 1, "p50": 1, "p99": 1}'], "line 1"),
        (['{"load": 1, "asked": 1, "answered": 1, "per_second": 1, "p50": NaN, "p99": 1}'], "line"),
        (['{"load": 1, "asked": 1, "answered": 1, "per_second": 1, "p50": null}'], "line 1"),
    ],
)
def test_what_is_none_is_told_with_its_line(told: list[str], why: str) -> None:
    with pytest.raises(CheckFailed, match=why):
        parse(told, "x")


@given(st.lists(st.text()))
def test_no_text_makes_it_fall_over(told: list[str]) -> None:
    with pytest.raises(CheckFailed):
        parse(told, "x")


def test_a_row_tells_how_much_was_not_answered() -> None:
    told = " ".join(words.row(POINTS[2]).split())
    assert told == "200 130.0 800.0 ms 2.10 s 10 3 wrong"
    assert len(words.heading()) == len(words.row(POINTS[0]))


def test_the_summary_tells_where_it_ends() -> None:
    most = "ten peers search at $x: 130 searches a second at the most; "
    assert words.summary(CURVE) == f"{most}it kept up with 100, not with 200"
    all_kept = Curve("t", "searches", POINTS[:2])
    assert words.summary(all_kept).endswith("it answered all that was asked")
    never = Curve("t", "searches", POINTS[2:])
    assert words.summary(never).endswith("it kept up not with 200")


def test_the_terminal_has_both_panels() -> None:
    drawn = terminal.draw([CURVE], 80, color=False)
    assert max(len(line) for line in drawn.splitlines()) <= 80
    for text in (
        "answers a second",
        "time until the answer",
        "1.00 s",
        "10.0 ms",
        "asked a second",
    ):
        assert text in drawn
    assert "\x1b" not in drawn
    assert terminal.draw([CURVE, CURVE], 20, color=True)


def test_images_are_the_same_each_time() -> None:
    first, again = (plot.draw([CURVE, CURVE], "svg") for _ in range(2))
    assert first == again
    assert b"searches asked a second" in first
    assert plot.draw([CURVE], "png").startswith(b"\x89PNG")


def test_files_by_their_suffix(tmp_path: Path) -> None:
    files = [tmp_path / f"c{suffix}" for suffix in (".svg", ".png", ".txt", ".json")]
    curve_files.require_files(files)
    told: list[str] = []
    assert write_each(files, lambda file: curve_files.write([CURVE], file), told.append) is None
    assert len(told) == 4
    assert curve_files.read(files[3]) == [CURVE]
    assert "it kept up with 100" in files[2].read_text()
    for wrong in (tmp_path / "c.pdf", tmp_path / "no" / "c.svg", tmp_path):
        with pytest.raises(UsageError):
            curve_files.require_files([wrong])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"title": "a"}]', "[[]]", "\x00"])
def test_a_file_that_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UsageError, match="has no curve"):
        curve_files.read(tmp_path / "c.json")
    with pytest.raises(UsageError, match="cannot be read"):
        curve_files.read(tmp_path / "missing.json")
