"""docs/patterns.md says what the code does."""

from __future__ import annotations

import re

import pytest
import yaml

from labctl.lab.places import data_root
from labctl.sequence.pattern import match, parse
from labctl.sequence.pattern.grammar import MAX_DEPTH, MAX_TEXT, MAX_TIMES
from labctl.sequence.pattern.instants import OF_CALL, OF_SEGMENT
from labctl.sequence.pattern.positions import MAX_POSITIONS
from labctl.sequence.pattern.words import KEYS, RESULTS, WIRE
from labctl.sequence.verbs import FAMILIES, UNCOUNTED
from tests.unit.sequence.pattern.made import Told, connection

PAGE = (data_root() / "docs" / "patterns.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_table_of_verbs_is_complete() -> None:
    table = PAGE.partition("<!-- verbs -->")[2].partition("<!-- end of verbs -->")[0]
    found = {}
    for line in table.strip().splitlines():
        head, calls = line.strip("| ").split(" | ")
        found[head.rstrip(" *").strip("`")] = tuple(re.findall(r"`(\w+)`", calls))
        assert head.endswith("*") == (head.rstrip(" *").strip("`") in UNCOUNTED), head
    assert found == FAMILIES


@pytest.mark.parametrize("word", [*KEYS, *RESULTS, *WIRE, *OF_CALL, *OF_SEGMENT])
def test_every_word_is_in_the_page(word: str) -> None:
    assert re.search(rf"[`=:]{re.escape(word)}\b", PAGE), word


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_right(example: str) -> None:
    parse(yaml.safe_load(example))


def test_every_element_that_is_shown_is_right() -> None:
    shown = re.findall(r"^\| (`[^|]*(?:\\\|[^|]*)*`) \| ", PAGE, re.MULTILINE)
    elements = [
        word.replace("\\|", "|") for cell in shown for word in re.findall(r"`([^`]+)`", cell)
    ]
    marked = [word for word in elements if not re.search(r"[:\s]", word) or "(" in word]
    assert len(marked) > 40
    for word in marked:
        of_wire = ">" in word or word in WIRE
        parse({"wire" if of_wire else "server": [word]})


def test_the_limits() -> None:
    for limit in (MAX_TEXT, MAX_DEPTH, MAX_TIMES, MAX_POSITIONS):
        assert re.search(rf"\b{limit:,}\b|\b{limit}\b", PAGE.partition("## Limits")[2])


def test_the_report_is_a_real_one() -> None:
    report = re.search(r"```\n(not as the pattern says.*?)```", PAGE, re.DOTALL)
    assert report
    wanted = ["socket", "bind", "listen", "accept", "recv+", "send+", "close"]
    server = "socket=3 listen bind=EINVAL accept=4 recv=5 send=5 close"
    assert str(match({"server": wanted}, Told(connection(server)))) == report[1].rstrip("\n")
