"""All hosts' recordings end at one moment, and what went on after it is not judged."""

from __future__ import annotations

import pytest

from labctl.errors import UsageError
from labctl.sequence import jsonl
from labctl.sequence.cutting import cut
from labctl.sequence.events import Call, Endpoint
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.diagnose.found import pair
from tests.unit.sequence.exchanges import Dialogue, listening

PATTERN = {
    "server": ["socket", "bind", "listen", "accept", "recv", "send", "close"],
    "wire": ["SYN", "SYN-ACK", "ACK", "data+", "FIN", "FIN"],
}
ENDS = [Endpoint("10.0.0.1", 40001), Endpoint("10.0.0.2", 80)]


def served(count: int = 2) -> Recording:
    """A server serves clients one after another, and waits for more."""
    story, _, server = pair()
    listening(server)
    for number in range(count):
        talk = Dialogue(story.thread("client", 100 + number), server, 40000 + number)
        talk.connect()
        talk.accept()
        talk.say("client", 10)
        talk.say("server", 100)
        talk.close("server")
        talk.close("client")
    server.begin("accept", 3)
    return story.recording()


def moments(recording: Recording) -> list[int]:
    """Every time at which the second connection goes on."""
    times = [s.time for s in recording.segments if {s.source, s.target} == set(ENDS)]
    return [*times, *(one - 1 for one in times)]


def test_wherever_it_is_cut_what_is_whole_is_as_it_should_be() -> None:
    whole = served()
    assert Timeline.of(whole).matches(PATTERN)
    late = 0
    for at in moments(whole):
        verdict = Timeline.of(cut(whole, at)).matches(PATTERN)
        assert verdict, f"{verdict}"
        late += verdict.later
        if verdict.later:
            assert verdict.unjudged == "not judged: 1 connection under way at its end"
    assert late


def test_nothing_after_it_is_left_and_nothing_before_it_is_changed() -> None:
    whole = served()
    at = whole.calls[len(whole.calls) // 2].start
    left = cut(whole, at)
    assert all(call.start <= at and (call.end or 0) <= at for call in left.calls)
    assert all(segment.time <= at for segment in left.segments)
    assert all(event.time <= at for event in left.processes)
    done = [call for call in whole.calls if call.end is not None and call.end <= at]
    assert [call for call in left.calls if call.end is not None] == done
    assert left.went_on


def test_what_only_its_return_tells_is_not_known_of_a_call_that_has_not_returned() -> None:
    calls = (
        Call("h", 1, 1, "accept", 10, 30, 4, None, 3, {"address": "10.0.0.1:9"}),
        Call("h", 1, 1, "recvfrom", 11, 30, 4, None, 3, {"data": "x", "length": 9, "flags": []}),
        Call("h", 1, 1, "sendto", 12, 30, 1, None, 3, {"data": "x", "address": "10.0.0.1:9"}),
        Call("h", 1, 1, "poll", 13, 30, 1, None, None, {"descriptors": {}, "ready": {}}),
        Call("h", 1, 1, "epoll_wait", 14, 30, 1, None, 3, {"events": [], "timeout_ms": -1}),
    )
    left = cut(Recording("t", "strace", (), calls), 20)
    assert [list(call.args) for call in left.calls] == [
        [],
        ["length", "flags"],
        ["data", "address"],
        ["descriptors"],
        ["timeout_ms"],
    ]
    assert {(call.end, call.result) for call in left.calls} == {(None, None)}


def test_a_connection_that_is_alone_is_judged_as_it_is() -> None:
    whole = served(1)
    half = cut(whole, whole.segments[len(whole.segments) // 2].time)
    assert half.went_on
    verdict = Timeline.of(half).matches(PATTERN)
    assert not verdict
    assert verdict.later == 0


def test_one_that_was_wrong_before_is_wrong_still() -> None:
    whole = served()
    first = {Endpoint("10.0.0.1", 40000), ENDS[1]}
    over = max(s.time for s in whole.segments if {s.source, s.target} == first)
    wrong = {**PATTERN, "server": ["socket", "bind", "listen", "accept", "send", "recv", "close"]}
    verdict = Timeline.of(cut(whole, over + 100_000)).matches(wrong)
    assert verdict.failing >= 1


def test_it_is_written_and_read_again() -> None:
    left = cut(served(), moments(served())[0])
    lines = list(jsonl.dump(left))
    assert '"went_on": [["10.0.0.1:40001", "10.0.0.2:80"]]' in lines[0]
    assert jsonl.load(lines, "x.jsonl").went_on == left.went_on


@pytest.mark.parametrize("told", ['"x"', "[1]", '[["x"]]', "[[1]]", "{}"])
def test_anything_else_there_is_refused(told: str) -> None:
    head = f'{{"event": "recording", "version": 1, "title": "", "tracer": "", "went_on": {told}}}'
    with pytest.raises(UsageError, match="went_on"):
        jsonl.load([head], "x.jsonl")
