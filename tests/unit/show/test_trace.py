"""What `trace` prints on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

from rich.console import Console

from labctl.play.judged import Judged, judge
from labctl.sequence.events import Notice
from labctl.sequence.pattern import parse
from labctl.show.figure.model import Options
from labctl.show.trace import show
from tests.unit.sequence.exchanges import exchange
from tests.unit.show.figure.recordings import napster, refused

WANTED = {"client": ["socket", "connect", "send+", "recv+", "close"]}


def printed(judged: Judged, figure: bool = True, width: int = 120, terminal: bool = False) -> str:
    console = Console(
        file=StringIO(), width=width, highlight=False, force_terminal=terminal or None
    )
    show(judged, Options(), console, figure)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_figure_verdict_and_diagnoses_in_this_order() -> None:
    said = printed(judge(refused(), parse(WANTED)))
    figure = said.index("connect(3, 10.0.0.2:80) ECONNREFUSED")
    verdict = said.index("not as the pattern says: 1 of 1 connection")
    difference = said.index("  > connect   connect 10.0.0.2:80 = ECONNREFUSED")
    assert figure < verdict < difference < said.index("error: ") < said.index("[loopback-bound]")
    assert "\x1b" not in said


def test_what_is_as_wanted_is_said_in_a_line() -> None:
    said = printed(judge(exchange(), parse(WANTED)))
    assert "as the pattern says: 1 connection\n" in said


def test_what_could_not_be_judged_is_said_with_the_way_out() -> None:
    recording = exchange()
    hosts = tuple(replace(host, whole=False) for host in recording.hosts)
    calls = tuple(c for c in recording.calls if c.name not in ("socket", "bind", "listen"))
    judged = judge(replace(recording, hosts=hosts, calls=calls), parse(WANTED))
    said = printed(replace(judged, whole="labctl trace tcp -s download"), figure=False)
    assert said.splitlines()[:2] == [
        "as the pattern says: 1 connection",
        "not judged: the first calls of client from before the recording "
        "(`labctl trace tcp -s download` plays on a fresh copy, and judges all)",
    ]
    assert "fresh copy" not in printed(judged, figure=False)


def test_without_the_figure_the_rest_is_there() -> None:
    said = printed(judge(refused(), parse(WANTED)), figure=False)
    assert "┃" not in said
    assert said.startswith("not as the pattern says")


def test_notices_come_first_and_groups_below_the_figure() -> None:
    notice = Notice("server", "its first calls are missed\x1b[2J")
    recording = replace(exchange(20), notices=(notice,))
    said = printed(judge(recording))
    assert said.startswith("note: server: its first calls are missed\\x1b[2J\n")
    assert "19 more connections like 1: " in said


def test_colours_on_a_terminal_only() -> None:
    said = printed(judge(refused(), parse(WANTED)), terminal=True)
    assert "\x1b[36m" in said
    assert "\x1b[1;31mnot as the pattern says" in said


def test_where_there_is_only_ascii_nothing_else_is_printed() -> None:
    raw = BytesIO()
    file = TextIOWrapper(raw, encoding="ascii")
    recording = replace(refused(), notices=(Notice("sérver", "naïve"),))
    show(judge(recording, parse(WANTED)), Options(), Console(file=file, width=100), True)
    file.flush()
    assert b"<---" in raw.getvalue()


def test_a_figure_too_wide_for_the_terminal_is_cut_and_says_so() -> None:
    def longest(said: str) -> int:
        figure = re.sub(r"\x1b\[[\d;]*m", "", said).partition("\nTCP")[0]
        return max(map(len, figure.splitlines()))

    narrow = printed(judge(napster()), width=60, terminal=True)
    assert longest(narrow) <= 60
    assert "-o trace.html shows all of it" in narrow
    assert longest(printed(judge(napster()), width=60)) > 60
