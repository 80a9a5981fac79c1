"""No arrow stands for what came before and after a pause; lanes of one name have numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.sequence.events import Segment
from labctl.sequence.timeline import Timeline
from labctl.show.figure.folding import fold_segments
from labctl.show.figure.labels import lane_name
from labctl.show.figure.layout import layout
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
