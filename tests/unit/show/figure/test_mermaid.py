"""The Mermaid diagram: each line is one of the language, each activation ends."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from labctl.show.figure import mermaid
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.layout import layout
from tests.unit.show.figure.recordings import ALL, timeline

TEXT = r"(?:[^;:#<>\"&%{}\\\n]|\#\d+;|<br/>)+"
LINE = re.compile(
    rf"""title\ {TEXT}
    | box\ transparent\ {TEXT}
    | end
    | participant\ L\d+\ as\ {TEXT}
    | Note\ (left\ of|right\ of|over)\ L\d+(,L\d+)?:\ {TEXT}
    | (activate|deactivate)\ L\d+
    | L\d+(->>|-->>|-x)L\d+:\ {TEXT}""",
    re.VERBOSE,
)


def check(drawn: str) -> list[str]:
    """Return the lines of a diagram, each of which is valid; activations are balanced."""
    first, *lines = drawn.splitlines()
    assert first == "sequenceDiagram"
    active: Counter[str] = Counter()
    known: set[str] = set()
    for line in map(str.strip, lines):
        assert LINE.fullmatch(line), line
        word, *rest = line.split()
        if word == "participant":
            known.add(rest[0])
        elif word in ("activate", "deactivate"):
            active[rest[0]] += 1 if word == "activate" else -1
            assert active[rest[0]] >= 0, line
        elif word not in ("title", "box", "end"):
            named = re.findall(r"\bL\d+\b", line.partition(":")[0])
            assert named
            assert known.issuperset(named)
    assert not +active
    return lines


@pytest.mark.parametrize("name", ALL)
def test_it_is_valid_and_has_each_segment(name: str) -> None:
    figure = layout(timeline(name))
    lines = check(mermaid.draw(figure))
    arrows = [line for line in lines if "->>" in line or "-x" in line]
    forks = sum(mark.kind == "fork" for mark in figure.marks)
    assert len(arrows) - forks == len(figure.arrows)
    plain = arrow_label(figure.arrows[0])
    assert arrows[0].endswith(plain)


def test_signs_that_mean_something_are_escaped() -> None:
    drawn = mermaid.draw(timeline("refused"))
    assert "bind(3, 127.0.0.1#58;80)" in drawn
