"""Where there is little or nothing to draw, every output says so in words."""

from __future__ import annotations

import pytest

from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from labctl.show.figure import html, mermaid, svg, text
from labctl.show.figure.layout import layout
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, listening
from tests.unit.show.figure.reading import crossing, outside, parsed, written
from tests.unit.show.figure.test_html import Page
from tests.unit.show.figure.test_mermaid import check


def only_true() -> Recording:
    """A program that does nothing with sockets."""
    story = Story(client=CLIENT)
    thread = story.thread("client")
    thread.call("execve", program="/bin/true")
    thread.exit()
    return story.recording("true")


def no_segments() -> Recording:
    story = Story(server=SERVER)
    listening(story.thread("server"))
    return story.recording("one lane")


def no_calls() -> Recording:
    story = Story(client=CLIENT, server=SERVER)
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    return story.recording("segments")


@pytest.mark.parametrize("recording", [Story().recording(), only_true()])
@pytest.mark.parametrize("width", [80, 200])
def test_nothing_to_draw_is_said(recording: Recording, width: int) -> None:
    figure = layout(Timeline.of(recording))
    assert not figure.lanes
    for ascii_only in (False, True):
        assert "nothing to draw: " in text.draw(figure, width=width, ascii_only=ascii_only)
    assert text.width_of(figure, width) == width
    picture = parsed(svg.draw(figure))
    assert any(said.startswith("nothing to draw: ") for said, _ in written(picture))
    assert not outside(picture)
    assert not crossing(picture)
    page = html.draw(figure)
    assert Page(page).open == []
    assert "nothing to draw: " in page
    lines = check(mermaid.draw(figure))
    assert any("nothing to draw#58;" in line for line in lines)


def test_what_was_left_out_is_the_reason() -> None:
    drawn = text.draw(Timeline.of(only_true()))
    assert (
        "nothing to draw: nothing was seen but what is left out (--all-calls draws more)" in drawn
    )
    assert "not drawn: 1 call that concerns no Internet socket" in drawn
    assert "no call and no segment was seen" in text.draw(Timeline.of(Story().recording()))


@pytest.mark.parametrize("recording", [no_segments(), no_calls()])
def test_one_kind_of_thing_is_enough_for_a_picture(recording: Recording) -> None:
    figure = layout(Timeline.of(recording))
    assert figure.lanes
    assert "nothing to draw" not in text.draw(figure, width=80)
    picture = parsed(svg.draw(figure))
    assert not outside(picture)
    assert not crossing(picture)
    assert Page(html.draw(figure)).open == []
    check(mermaid.draw(figure))
