"""What is drawn of a timeline: all of it or one of each kind, everything counted, in order."""

from __future__ import annotations

import pytest

from labctl.errors import UsageError
from labctl.sequence.events import Call
from labctl.sequence.timeline import Timeline
from labctl.show.figure.callwords import call_name
from labctl.show.figure.layout import layout
from labctl.show.figure.model import Figure, Options
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import exchange, listening
from tests.unit.show.figure.recordings import ALL, timeline


def drawn_calls(figure: Figure) -> list[Call]:
    return [call for bar in figure.bars for call in bar.calls]


@pytest.mark.parametrize("name", ALL)
def test_every_call_and_segment_is_drawn_once_or_counted(name: str) -> None:
    shown = timeline(name)
    figure = layout(shown)
    calls = drawn_calls(figure)
    assert len(set(map(id, calls))) == len(calls)
    segments = [segment for arrow in figure.arrows for segment in arrow.segments]
    assert len(set(map(id, segments))) == len(segments)
    left_out = sum(figure.left_out.values())
    grouped = sum(group.calls + group.segments for group in figure.groups)
    total = len(shown.calls) + len(shown.recording.segments)
    assert len(calls) + len(segments) + left_out + grouped == total


@pytest.mark.parametrize("name", ALL)
def test_arrows_go_from_the_host_that_sent_to_the_one_that_received(name: str) -> None:
    figure = layout(timeline(name))
    for arrow in figure.arrows:
        for segment in arrow.segments:
            if segment.sent:
                assert figure.lanes[arrow.source].host == segment.sent.host
            if segment.received:
                assert figure.lanes[arrow.target].host == segment.received.host
        assert arrow.first < arrow.last or arrow.lost


@pytest.mark.parametrize("name", ALL)
def test_time_goes_down_and_never_back(name: str) -> None:
    figure = layout(timeline(name))
    assert list(figure.rows) == sorted(figure.rows)
    by_lane: dict[int, list[tuple[int, int]]] = {}
    for bar in figure.bars:
        assert figure.lanes[bar.lane].host == bar.calls[0].host
        assert bar.first <= bar.last < len(figure.rows)
        by_lane.setdefault(bar.lane, []).append((bar.calls[0].start, bar.first))
    for starts in by_lane.values():
        assert [row for _, row in sorted(starts)] == sorted(row for _, row in starts)


def test_figure_6_30_has_the_server_on_the_left() -> None:
    figure = layout(Timeline.of(exchange()))
    assert [column.host for column in figure.columns] == ["server", "client"]
    server = [call_name(b.calls[0]) for b in figure.bars if b.lane == 0]
    client = [call_name(b.calls[0]) for b in figure.bars if b.lane == 1]
    assert server == ["socket", "bind", "listen", "accept", "recv", "send", "close"]
    assert client == ["socket", "connect", "send", "recv", "recv", "close"]


def test_subordinates_have_lanes_of_their_own_and_a_fork_leads_there() -> None:
    figure = layout(timeline("subordinates"))
    assert [lane.name for lane in figure.lanes] == ["M", "S1", "S2", "", ""]
    forks = [(mark.lane, mark.target) for mark in figure.marks if mark.kind == "fork"]
    assert forks == [(0, 1), (0, 2)]


def test_a_big_transfer_folds() -> None:
    figure = layout(timeline("big"))
    many = {call_name(bar.calls[0]): len(bar.calls) for bar in figure.bars if len(bar.calls) > 1}
    assert many == {"sendfile": 812, "recv": 812}
    assert sorted(len(arrow.segments) for arrow in figure.arrows)[-2:] == [406, 812]
    assert [mark.text for mark in figure.marks] == ["SYN-SENT", "ESTABLISHED"]
    unfolded = layout(timeline("big"), Options(unfold=True, states=False))
    assert all(len(bar.calls) == 1 for bar in unfolded.bars)
    assert not unfolded.marks


@pytest.mark.parametrize("subordinates", [False, True])
def test_of_many_connections_one_of_each_kind_is_drawn(subordinates: bool) -> None:
    shown = Timeline.of(exchange(100, subordinates=subordinates))
    figure = layout(shown)
    assert [connection.id for connection in figure.connections] == [1]
    (group,) = figure.groups
    assert (group.like, len(group.members)) == (1, 99)
    assert len(figure.lanes) == 3 if subordinates else 2
    assert len(figure.rows) < 50
    drawn = len(drawn_calls(figure))
    left_out = sum(n for why, n in figure.left_out.items() if "calls" in why)
    assert drawn + group.calls + left_out == len(shown.calls)


def test_what_is_asked_for_is_drawn() -> None:
    shown = timeline("napster")
    assert [c.id for c in layout(shown, Options(connections=[2])).connections] == [2]
    some = layout(shown, Options(hosts=["x", "directory"]))
    assert [column.host for column in some.columns][:2] == ["x", "directory"]
    assert {bar.calls[0].host for bar in some.bars} == {"x", "directory"}
    assert "router" in [c.host for c in layout(shown, Options(routers=True)).columns]
    assert all(arrow.via[0][0] == "router" for arrow in layout(shown).arrows)


def test_all_calls_are_drawn_where_that_is_asked_for() -> None:
    story = Story(server="10.0.0.2")
    server = story.thread("server")
    listening(server)
    server.call("setsockopt", 3, level="SOL_SOCKET", option="SO_REUSEADDR")
    server.call("getpid")
    shown = Timeline.of(story.recording())
    assert len(layout(shown).bars) == 3
    figure = layout(shown, Options(all_calls=True))
    assert [bar.dimmed for bar in figure.bars] == [False, False, False, True, True]


def test_names_that_are_not_there_are_errors() -> None:
    shown = timeline("exchange")
    with pytest.raises(UsageError, match="no host 'servr'"):
        layout(shown, Options(hosts=["servr"]))
    with pytest.raises(UsageError, match="no connection 7"):
        layout(shown, Options(connections=[7]))


def test_nothing_seen_is_an_empty_figure() -> None:
    figure = layout(Timeline.of(Story().recording()))
    assert (figure.lanes, figure.rows, figure.bars, figure.arrows) == ((), (), (), ())
