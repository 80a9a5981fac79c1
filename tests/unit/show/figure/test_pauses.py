"""No arrow stands for what came before and after a pause; lanes of one name have numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.sequence.events import Call, Segment
from labctl.sequence.timeline import Timeline
from labctl.show.figure.folding import fold_calls, fold_segments
from labctl.show.figure.labels import lane_name
from labctl.show.figure.layout import layout
from labctl.show.figure.segmentwords import label
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, exchange, tcp_socket

MS = 1_000_000


def acks(*gaps: int) -> list[Segment]:
    story = Story(client=CLIENT, server=SERVER)
    for gap in (0, *gaps):
        story.tick(gap)
        story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "ACK", 1, 1)
    return story.segments


@pytest.mark.parametrize(
    ("gaps", "runs"),
    [
        ([MS] * 9, [10]),
        ([MS] * 4 + [30 * MS] + [MS] * 4, [5, 5]),
        ([MS] * 4 + [19 * MS] + [MS] * 4, [10]),
        ([MS // 100] * 4 + [9 * MS] + [MS // 100] * 4, [10]),
        ([40 * MS] * 4 + [250 * MS] + [40 * MS] * 2, [5, 1, 1, 1]),
        ([1000 * MS] * 9, [1] * 10),
        ([1000 * MS] * 99, [100]),
    ],
)
def test_a_pause_ends_a_repetition(gaps: list[int], runs: list[int]) -> None:
    assert [len(run) for run in fold_segments(acks(*gaps), lambda _: False)] == runs


def calls(name: str, *times: tuple[int, int]) -> list[Call]:
    """Return calls of one thread: how long after the one before each began, how long it took."""
    story = Story(client=CLIENT)
    thread = story.thread("client")
    for gap, took in times:
        story.tick(gap)
        begun = thread.begin(name, fd=3)
        story.tick(took)
        thread.end(begun, result=100)
    return story.calls


@pytest.mark.parametrize(
    ("name", "times", "runs"),
    [
        ("recv", [(MS, MS)] * 9, [9]),
        ("recv", [(MS, MS)] * 4 + [(300 * MS, MS)] + [(MS, MS)] * 4, [4, 5]),
        ("recv", [(MS, MS)] * 4 + [(150 * MS, MS)] + [(MS, MS)] * 4, [9]),
        ("recv", [(MS, MS)] * 4 + [(MS, 300 * MS)] + [(MS, MS)] * 4, [9]),
        ("recv", [(300 * MS, MS)] * 99, [99]),
        ("send", [(MS, MS)] * 4 + [(MS, 300 * MS)] + [(MS, MS)] * 4, [4, 1, 4]),
        ("send", [(MS, 300 * MS)] * 99, [99]),
    ],
)
def test_calls_after_a_pause_and_a_send_that_blocks_stand_for_themselves(
    name: str, times: list[tuple[int, int]], runs: list[int]
) -> None:
    assert [len(run) for run in fold_calls(calls(name, *times))] == runs


def test_a_segment_that_closes_the_window_says_so() -> None:
    story = Story(client=CLIENT, server=SERVER)
    ends = f"{CLIENT}:40000", f"{SERVER}:80"
    windows = [5000] * 5 + [0] + [5000] * 5
    for window in windows:
        story.segment(*ends, "ACK", 1, 1, window=window)
    runs = fold_segments(story.segments, lambda _: False)
    assert [len(run) for run in runs] == [5, 1, 5]
    assert label(runs[1][0]) == "ACK, window 0"
    assert label(runs[0][0]) == "ACK"
    assert label(story.segment(*ends, "PSH ACK", 1, 1, 17, window=0)) == "data 17 B, window 0"
    assert label(story.segment(*ends, "RST", 1, window=0)) == "RST"


def test_lanes_that_are_called_the_same_have_numbers() -> None:
    story = Story(client=CLIENT)
    for pid in (20, 21):
        tcp_socket(story.thread("client", pid))
    recording = story.recording()
    (host,) = recording.hosts
    host = replace(host, programs={20: "/bin/tcp_client", 21: "/bin/tcp_client", 22: "other"})
    figure = layout(Timeline.of(replace(recording, hosts=(host,))))
    assert [*map(lane_name, figure.lanes)] == ["tcp_client pid 20", "tcp_client pid 21"]
    host = replace(host, programs={20: "/bin/tcp_client", 21: "other"})
    figure = layout(Timeline.of(replace(recording, hosts=(host,))))
    assert [*map(lane_name, figure.lanes)] == ["tcp_client", "other"]
    figure = layout(Timeline.of(exchange(2, subordinates=True)))
    assert lane_name(figure.lanes[0]) == "M pid 10"
