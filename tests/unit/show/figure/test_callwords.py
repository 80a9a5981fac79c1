"""Calls that never returned, or that a signal broke off, and which name they have."""

from __future__ import annotations

import pytest

from labctl.sequence.timeline import Timeline
from labctl.show.figure import html, svg, text
from labctl.show.figure.labels import bar_lines
from labctl.show.figure.layout import layout
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, listening
from tests.unit.show.figure.recordings import timeline
from tests.unit.show.figure.test_html import Page

INTERNAL = ("ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK")


def stopped(errno: str, again: bool = False) -> Timeline:
    """A server whose accept a signal breaks off; `again`: it goes on."""
    story = Story(server=SERVER)
    server = story.thread("server")
    listening(server)
    call = server.begin("accept", 3)
    story.tick(1_000_000)
    server.end(call, -1, errno=errno)
    if again:
        server.call("close", 3)
    return Timeline.of(story.recording())


@pytest.mark.parametrize("errno", INTERNAL)
def test_a_call_that_a_signal_ended_never_returned(errno: str) -> None:
    shown = stopped(errno)
    drawn = text.draw(shown)
    assert "accept(3), never returned" in drawn
    picture, page = svg.draw(shown), html.draw(shown)
    assert "accept(3), never returned" in picture
    assert all("ERESTART" not in output for output in (drawn, picture, page))
    assert ["broken off", "by a signal"] in [
        row
        for item in Page(page).data["items"].values()
        for section in item["sections"]
        for row in section["rows"]
    ]


def test_a_call_that_a_signal_broke_off_in_a_program_that_goes_on_says_so() -> None:
    drawn = text.draw(stopped("ERESTARTSYS", again=True))
    assert "accept(3), interrupted by a signal" in drawn
    assert "never returned" not in drawn


def unfinished_datagram() -> Timeline:
    story = Story(server=SERVER, client=CLIENT)
    server = story.thread("server")
    server.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    server.call("bind", 3, address="0.0.0.0:9")
    server.begin("recvfrom", 3, length=2048, flags=["MSG_TRUNC"])
    return Timeline.of(story.recording())


def test_with_datagrams_recvfrom_keeps_its_name() -> None:
    assert "recvfrom(3, 2048, MSG_TRUNC), never returned" in text.draw(unfinished_datagram())
    assert "recv(3" in text.draw(timeline("exchange"), width=200)
    assert "recvfrom(3" not in text.draw(timeline("exchange"), width=200)


@pytest.mark.parametrize("most", [9, 14, 20, 26, 40, 60])
def test_that_it_never_returned_is_told_before_anything_else(most: int) -> None:
    (*_, bar) = layout(unfinished_datagram()).bars
    lines = bar_lines(bar, most)
    assert all(len(line.text) <= most for line in lines)
    said = " ".join(line.text for line in lines)
    assert "no return" in said or "never returned" in said
    assert ("MSG_TRUNC" in said) == (most >= 40)
