"""The pictures and tables of crossings, of made ones and hostile ones."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from labctl.play.crossing import Crossed
from labctl.sequence.crossings import Crossings, Kind
from labctl.sequence.events import Notice
from labctl.show.syscalls import html, svg, table, text
from labctl.show.syscalls.asjson import as_json
from labctl.show.syscalls.words import command, drawn
from tests.unit.show.figure.reading import parsed

KINDS = tuple(Kind(f"call{n}", n + 1, (9 - n) * 1000, 500) for n in range(9))
READ = Kind("read", 20_001, 2_000_000_000, 1_000, errors={"EAGAIN": 3}, moved=20_000)


def process(pid: int = 7, host: str = "h", program: str = "copy a b", **more: object) -> Crossings:
    told: dict[str, object] = {"kinds": (READ, *KINDS), "user": 5_000, **more}
    return Crossings(host, pid, program, 0, 4 * 10**9, True, 1, 4 * 10**9, **told)  # type: ignore[arg-type]


def crossed(*processes: Crossings) -> Crossed:
    return Crossed("lab: a title", "tracefs", processes, (Notice("h", "something"),), None)


def test_more_kinds_than_are_wanted_become_one() -> None:
    shown = drawn(process(), 4)
    assert [kind.name for kind in shown.kinds] == ["read", "call0", "call1", "7 others"]
    assert shown.kinds[-1].calls == sum(kind.calls for kind in KINDS[2:])
    assert drawn(process(kinds=(READ,)), 4).kinds == (READ,)


def test_the_text_has_the_line_between_process_and_kernel() -> None:
    told = text.draw(crossed(process()), width=80, kinds=3).splitlines()
    line = next(n for n, row in enumerate(told) if row.startswith("═╪╪╪═"))
    above, below = "\n".join(told[:line]), "\n".join(told[line + 1 :])
    assert "copy a b" in above
    assert "outside 2 s" in above
    assert "▲▲▲" in above
    assert "read 20,001× 2 s" in below
    assert "8 others" in below
    assert "h: user space" in above
    assert "h: kernel" in below


@pytest.mark.parametrize("width", [20, 80, 126, 300])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    many = crossed(*(process(pid) for pid in range(1, 9)))
    told = text.draw(many, width=width, kinds=6)
    most = max(text.COLUMN, width) + len("   system calls")
    assert max(map(len, told.splitlines())) <= most
    assert told.count("process ") == 8


def test_without_utf_8_there_is_only_ascii() -> None:
    told = text.draw(crossed(process()), width=80, kinds=6, ascii_only=True)
    assert told.isascii()
    assert text.in_ascii(text.legend()).isascii()


def test_the_svg_has_every_process_above_the_line_and_its_calls_below() -> None:
    root = parsed(svg.draw(crossed(*(process(pid) for pid in range(1, 7))), 4))
    boxes = [float(e.get("y", 0)) for e in root.iter() if e.get("class") == "box"]
    kernels = [float(e.get("y", 0)) for e in root.iter() if e.get("class") == "kernel"]
    ways = [e for e in root.iter() if e.get("class") == "way"]
    assert len(boxes) == 6
    assert len(kernels) == 2  # four in a row
    assert len(ways) == 6 * 4
    assert max(boxes[:4]) < kernels[0] < min(boxes[4:]) < kernels[1]


HOSTILE = 'x"><script>alert(1)</script>\x1b[31m\u202e'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


def test_what_programs_are_called_does_no_harm() -> None:
    evil = process(program=HOSTILE, host="h", kinds=(Kind("\x1b[0m<b>", 1, 1, 0),))
    page = html.draw(crossed(evil), 4)
    tags = Tags()
    tags.feed(page)
    assert not {"script", "b"} & tags.found
    for told in (page, svg.draw(crossed(evil), 4), text.draw(crossed(evil), width=80, kinds=4)):
        assert "\x1b" not in told
        assert "\u202e" not in told


def test_the_page_has_all_kinds_and_needs_nothing_else() -> None:
    page = html.draw(crossed(process()), 3)
    for kind in KINDS:
        assert f"<td>{kind.name}</td>" in page
    assert "3 EAGAIN" in page
    assert "src=" not in page
    assert "href=" not in page


def test_the_table_has_a_row_a_process() -> None:
    console = Console(width=300, record=True, file=None, quiet=False)
    with console.capture() as told:
        console.print(table.processes([process(), process(8, user=None)]))
        console.print(table.kinds(process()))
    rows = told.get().splitlines()
    assert rows[1].split()[:3] == ["h", "7", "copy"]
    assert " - " in rows[2]
    assert "3 EAGAIN" in told.get()


def test_json_adds_up() -> None:
    told = json.loads(json.dumps(as_json(crossed(process()))))
    (one,) = told["processes"]
    assert one["inside"] + one["outside"] == one["lifetime"]
    assert sum(kind["calls"] for kind in one["kinds"]) == one["calls"]
    assert one["errors"] == {"EAGAIN": 3}
    assert told["findings"][0]["rule"] == "little-a-call"
    assert told["passed"] is False


@pytest.mark.parametrize(
    ("program", "short"),
    [("/usr/bin/dd bs=1", "dd bs=1"), ("it's", "it's"), ("", ""), ("x 'a b'", "x 'a b'")],
)
def test_a_command_is_shown_without_its_folder(program: str, short: str) -> None:
    assert command(process(program=program)) == short
