"""The SVG figure: valid, complete, readable: no text over another, none out of the picture."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import pytest

from labctl.sequence.timeline import Timeline
from labctl.show.figure import svg
from labctl.show.figure.boxes import Box
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.layout import layout
from labctl.show.figure.model import Options
from tests.unit.sequence.build import Story
from tests.unit.show.figure.reading import crossing, outside, parsed, written
from tests.unit.show.figure.recordings import ALL, timeline


def document(name: str, options: Options | None = None) -> Element:
    return parsed(svg.draw(timeline(name), options))


def of_class(root: Element, name: str) -> list[Element]:
    return [one for one in root.iter() if name in one.get("class", "").split()]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("options", [None, Options(routers=True, all_calls=True)])
def test_no_text_is_over_another_or_out_of_the_picture(name: str, options: Options) -> None:
    root = document(name, options)
    assert crossing(root) == []
    assert outside(root) == []


@pytest.mark.parametrize("name", ALL)
def test_each_call_has_a_bar_and_each_arrow_its_words(name: str) -> None:
    figure = layout(timeline(name))
    root = parsed(svg.draw(figure))
    assert len(of_class(root, "call-bar")) == len(figure.bars)
    words = sorted(one.text or "" for one in of_class(root, "word"))
    assert words == sorted(map(arrow_label, figure.arrows))


@pytest.mark.parametrize("name", ALL)
def test_arrows_slant_down_from_lifeline_to_lifeline(name: str) -> None:
    figure = layout(timeline(name))
    root = parsed(svg.draw(figure))
    x = {}
    for lane in of_class(root, "lane"):
        line = next(one for one in lane if one.get("class") == "lifeline")
        x[int(lane.get("data-lane", ""))] = points(line)[0][0]
    for number, arrow in enumerate(figure.arrows):
        (group,) = [one for one in root.iter() if one.get("id") == f"a{number}"]
        strokes = [one for one in group if one.get("class") == "stroke"]
        (x0, y0), (x1, y1) = points(strokes[0])[:2]
        assert y1 > y0
        assert abs(x0 - x[arrow.source]) < 8
        if not arrow.lost:
            assert abs(x1 - x[arrow.target]) < 8


def points(line: Element) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in re.findall(r"([\d.]+) ([\d.]+)", line.get("d", ""))]


def test_figure_6_30_reads_from_above() -> None:
    root = document("exchange")
    server, client = sorted(of_class(root, "name"), key=lambda one: float(one.get("x", "")))
    assert (server.text, client.text) == ("server", "client")
    calls = sorted(of_class(root, "call"), key=lambda one: float(one.get("y", "")))
    left = [re.match(r"\w+", one.text or "") for one in calls if one.get("text-anchor") == "end"]
    names = [one[0] for one in left if one]
    assert names == ["socket", "bind", "listen", "accept", "recv", "send", "close"]


def test_it_is_told_to_those_who_cannot_see_it() -> None:
    root = document("exchange")
    assert root.get("role") == "img"
    named = root.get("aria-labelledby", "").split()
    told = [one.text for one in root.iter() if one.get("id") in named]
    assert told[0] == "exchange"
    assert "server, client" in (told[1] or "")


def test_light_and_dark_and_nothing_from_elsewhere() -> None:
    drawn = svg.draw(timeline("big"))
    assert "prefers-color-scheme: dark" in drawn
    assert set(re.findall(r"https?://[^\"' )]+", drawn)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|<script|href", drawn)


def test_signs_of_what_went_wrong() -> None:
    lost = document("lost")
    assert [
        one.get("class", "").split()[1]
        for one in of_class(lost, "arrow")
        if "wrong" in one.get("class", "")
    ] == ["data", "data"]
    assert "⋮ 201 ms" in [text for text, _ in written(lost)]
    refused = document("refused")
    assert [one.text for one in of_class(refused, "word")] == ["SYN", "RST"]
    assert "wrong" in of_class(refused, "rst")[0].get("class", "")


def test_forks_states_routers_and_many_segments_have_signs() -> None:
    assert len(of_class(document("subordinates"), "fork")) >= 2
    assert len(of_class(document("big"), "dot")) == 2
    assert len(of_class(document("big"), "band")) == 3
    ticks = of_class(document("napster"), "tick")
    assert len(ticks) == len(of_class(document("napster"), "hit")) + 1
    assert "passed router" in [text for text, _ in written(document("napster"))]


def test_blocked_calls_are_lighter() -> None:
    root = document("exchange")
    (blocked,) = [one for one in of_class(root, "call-bar") if "blocked" in one.get("class", "")]
    assert (of_class(blocked, "call")[0].text or "").startswith("connect(")


def test_nothing_seen_is_a_picture_too() -> None:
    root = parsed(svg.draw(Timeline.of(Story().recording())))
    assert outside(root) == []


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (Box(0, 0, 4, 4), True),
        (Box(12, 0, 4, 4), False),
        (Box(7, 0, 4, 4), False),
        (Box(6.9, 0, 4, 4), True),
        (Box(0, 13, 20, 2, 45), False),
        (Box(0, 4, 20, 2, 45), True),
    ],
)
def test_boxes_overlap_also_when_turned(other: Box, overlap: bool) -> None:
    assert Box(0, 0, 10, 6).overlaps(other) is overlap
    assert other.overlaps(Box(0, 0, 10, 6)) is overlap
