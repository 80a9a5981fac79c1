"""Queues over time in every form: the same numbers, also where there is little or too much."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labctl.cli import queue_files
from labctl.errors import MachineError, UsageError
from labctl.observe.queues.model import Sampled
from labctl.observe.queues.seen import Queues, seen
from labctl.sequence.events import Endpoint
from labctl.show.queues import plot, summary, terminal
from labctl.show.queues.asjson import COLUMNS, as_json
from labctl.show.queues.picture import MOST, flow_name, nice, picture
from tests.unit.observe.queues.made import at, level, receiver, sampled, sender, stalled


@pytest.fixture
def queues() -> Queues:
    return seen("lab: a <title> & $more$", stalled())


def many(count: int) -> Sampled:
    """As many connections, in each of which more bytes wait than in the one before."""
    sockets = []
    for number in range(count):
        port = Endpoint("10.0.0.1", 40000 + number)
        sockets += [
            sender(level(1, send_queue=100 * (number + 1)), key=f"s{number}", local=port),
            receiver(level(1), key=f"r{number}", remote=port),
        ]
    return sampled(sockets)


def test_a_line_keeps_its_height_until_the_next_level(queues: Queues) -> None:
    drawn = picture(queues)
    (curve,) = drawn.panels[1].curves
    assert curve.name == "a:40000 to b:9100"
    xs, ys = curve.queue
    assert xs == pytest.approx([1, 1.2, 1.2, 5, 5, 6])
    assert ys == [0, 0, 60_000, 60_000, 0, 0]
    assert set(curve.limit[1]) == {65536}
    assert drawn.panels[1].marks == ((0, 2.0, 5.0),)
    assert (drawn.start < 1, drawn.end > 6) == (True, True)
    assert drawn.panels[1].highest > 65536


def test_six_flows_are_drawn_those_with_the_most_bytes() -> None:
    queues = seen("many", many(9))
    drawn = picture(queues)
    assert len(drawn.flows) == MOST
    assert drawn.flows[0] == "a:40008 to b:9100"
    assert drawn.undrawn == 3
    assert "3 more flows are not drawn; --json has all" in list(summary.lines(queues))


def test_the_summary_says_what_was_seen(queues: Queues) -> None:
    told = list(summary.lines(queues))
    assert told == [
        "a:40000 to b:9100",
        "    send queue up to 30,000 bytes, SO_SNDBUF 32,768",
        "    receive queue up to 60,000 bytes, SO_RCVBUF 65,536",
        "    window closed once, 3 s in all, first at 2.000 s",
        "looked every 5 ms, at least 2,000 times at each host; the longest time between two looks"
        " was 12 ms",
    ]


def test_where_nothing_waited_that_is_said() -> None:
    told = list(summary.lines(seen("quiet", sampled([sender(level(1)), receiver(level(1))]))))
    assert told[0] == "nothing waited in any queue (2 flows seen)"
    empty = seen("empty", replace(sampled([]), hosts=()))
    assert next(summary.lines(empty)) == "nothing waited in any queue (0 flows seen)"
    assert picture(empty).flows == ()


def test_what_ended_early_is_said(queues: Queues) -> None:
    hosts = (replace(queues.sampled.hosts[0], wrong="it came to 10 bytes"),)
    cut = replace(queues, sampled=replace(queues.sampled, hosts=hosts))
    assert "a: the queues were not seen to the end: it came to 10 bytes" in summary.lines(cut)


def test_json_has_every_level_and_can_be_read(queues: Queues) -> None:
    told = json.loads(json.dumps(as_json(queues)))
    assert told["columns"] == list(COLUMNS)
    flow, quiet = told["flows"]
    assert (flow["sender"]["host"], flow["receiver"]["host"]) == ("a", "b")
    assert flow["sender"]["local"] == {"address": "10.0.0.1", "port": 40000}
    assert flow["window_closed"] == [{"start": at(2), "end": at(5)}]
    column = COLUMNS.index("send_queue")
    assert [one[column] for one in flow["sender"]["levels"]] == [0, 30_000, 30_000, 0]
    assert (quiet["highest_send"], quiet["highest_receive"]) == (0, 0)
    assert told["traced"] is False


def test_the_terminal_has_both_panels_and_no_colour_unless_wanted(queues: Queues) -> None:
    plain = terminal.draw(picture(queues), 90, color=False)
    assert "\x1b" not in plain
    assert "send queue: bytes that the other end has not acknowledged" in plain
    assert "receive queue: bytes that the program has not read" in plain
    assert "###    below: the window is closed (TCP), packets are dropped (UDP)" in plain
    assert max(len(line) for line in plain.splitlines()) <= 90
    assert "\x1b[" in terminal.draw(picture(queues), 90, color=True)


def test_two_pictures_one_after_the_other_do_not_mix(queues: Queues) -> None:
    first = terminal.draw(picture(queues), 80, color=False)
    terminal.draw(picture(seen("many", many(4))), 120, color=False)
    assert terminal.draw(picture(queues), 80, color=False) == first


def test_svg_is_xml_with_the_title_and_always_the_same(queues: Queues) -> None:
    image = plot.draw(picture(queues), "svg", ["one line & more"])
    ElementTree.fromstring(image)
    assert b"a &lt;title&gt; &amp; $more$" in image
    assert b"one line &amp; more" in image
    assert plot.draw(picture(queues), "svg", ["one line & more"]) == image


def test_png_has_its_size(queues: Queues) -> None:
    image = plot.draw(picture(queues), "png")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width > 1000 < 2 * height


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html", ".txt", ".json"])
def test_every_form_also_draws_nothing(suffix: str) -> None:
    assert queue_files.FORMS[suffix](seen("nothing", sampled([])))


def test_the_page_needs_nothing_else(queues: Queues) -> None:
    page = queue_files.FORMS[".html"](queues).decode()
    assert page.startswith("<!doctype html>")
    assert "a &lt;title&gt; &amp; $more$" in page
    assert "<svg" in page
    assert "src=" not in page


def test_a_udp_socket_is_called_by_its_host() -> None:
    bound = receiver(level(1, receive_queue=9), protocol="udp", remote=None)
    (one,) = seen("udp", sampled([bound])).busy
    assert flow_name(one) == "UDP socket b:9100"


@pytest.mark.parametrize(
    ("least", "most", "ticks"),
    [
        (0, 100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (2.1, 3.4, [2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round_numbers(least: float, most: float, ticks: list[float]) -> None:
    assert nice(least, most, 5 if most > 10 else 7) == pytest.approx(ticks)


def test_a_file_that_cannot_be_written_keeps_no_other_from_it(
    queues: Queues, tmp_path: Path
) -> None:
    files = [tmp_path / "gone" / "a.svg", tmp_path / "b.txt"]
    told: list[str] = []
    wrong = queue_files.write_all(queues, files, told.append)
    assert isinstance(wrong, MachineError)
    assert "a.svg cannot be written" in wrong.message
    assert told == [f"{files[1]}: {files[1].stat().st_size:,} bytes"]


def test_files_are_looked_at_before_anything_is_played(tmp_path: Path) -> None:
    for name, said in (("a.gif", "nothing is known of"), ("no/a.svg", "there is no folder")):
        with pytest.raises(UsageError, match=said):
            queue_files.require_files([tmp_path / name])
    queue_files.require_files([tmp_path / "a.svg"])
    assert not list(tmp_path.iterdir())
