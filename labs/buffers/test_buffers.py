"""The lab buffers, checked on its hosts: what send and recv do when buffers fill, TCP and UDP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from labctl.observe.queues.flows import closed_window, flows
from labctl.observe.queues.model import Flow, Level, Sampled, levels
from labctl.play.results import ScenarioResult
from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest
from labctl.sequence.connection import Connection, Side
from labctl.sequence.diagnose import diagnose
from labctl.sequence.events import Call, Segment
from labctl.sequence.verbs import verb

SECOND = 1_000_000_000


def on(timeline: SeenTimeline, host: str, wanted: str) -> list[Call]:
    """Return the calls of a verb that a host made on the lab's connection."""
    _, side = end(timeline, host)
    return [call for call in side.calls if verb(call.name) == wanted]


def end(timeline: SeenTimeline, host: str) -> tuple[Connection, Side]:
    """Return the lab's one connection, and the end of it that is on a host."""
    both = {"sender", "receiver"}
    (one,) = [c for c in timeline.connections if {side.host for side in c.sides} == both]
    side = one.side(host)
    assert side is not None
    return one, side


def wire(timeline: SeenTimeline, sender: str) -> list[Segment]:
    """Return the segments that a host sent on the lab's connection, in the order of time."""
    connection, side = end(timeline, sender)
    return [one for one in connection.segments if one.source == side.endpoint]


def busy(sampled: Sampled) -> Flow:
    """Return the one flow in which bytes waited."""
    (flow,) = [one for one in flows(sampled) if not one.quiet]
    return flow


def at(flow_levels: tuple[Level, ...], time: int) -> Level:
    """Return the level that was there at a time."""
    return [one for one in flow_levels if one.time <= time][-1]


@pytest.fixture(scope="module")
def full(lab: LabUnderTest) -> tuple[ScenarioResult, Flow, Sampled]:
    """The scenario `full`, played once, its queues looked at meanwhile."""
    result, sampled = lab.queues("full")
    assert result.passed, result.failed_step
    return result, busy(sampled), sampled


def test_both_queues_fill_stand_still_and_empty(
    full: tuple[ScenarioResult, Flow, Sampled],
) -> None:
    _, flow, sampled = full
    assert flow.sender is not None
    assert flow.receiver is not None
    assert (flow.sender.host, flow.receiver.host) == ("sender", "receiver")
    last = max(host.ended for host in sampled.hosts)
    closed = max(closed_window(flow, last), key=lambda span: span.end - span.start)
    # Three probes, the first after 200 ms at the earliest, each after twice the time.
    assert closed.end - closed.start > 1 * SECOND
    quarter = (closed.end - closed.start) // 4
    # The sender fills its own queue only after that, on a busy machine not at once.
    early, late = closed.start + 2 * quarter, closed.end - quarter
    for socket, queue in ((flow.sender, "send_queue"), (flow.receiver, "receive_queue")):
        waiting = getattr(at(socket.levels, early), queue)
        assert waiting > 10_000
        assert getattr(at(socket.levels, late), queue) == waiting
        assert socket.gone is not None  # closed, so nothing is left in it
    # send goes on when a third of the buffer is free: sk_stream_write_space of the kernel.
    stuck = at(flow.sender.levels, early)
    assert stuck.send_buffer == 2 * 32768
    assert stuck.send_memory is not None
    assert stuck.send_memory > stuck.send_buffer * 2 // 3
    assert at(flow.receiver.levels, early).receive_buffer == 2 * 32768


def test_the_sender_was_blocked_and_all_arrived(
    full: tuple[ScenarioResult, Flow, Sampled],
) -> None:
    result, _, _ = full
    told = re.search(r"blocked (\d+) times, ([\d.]+) s in all", result.step("sender").stdout)
    assert told is not None
    assert float(told[2]) > 1
    assert "end: 1310720 bytes" in result.step("receiver").stdout


@pytest.mark.scenario("full")
def test_the_calls_are_in_order_also_around_the_full_buffer(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("full")
def test_send_returns_only_when_the_receiver_reads_again(timeline: SeenTimeline) -> None:
    def ended(call: Call) -> int:
        assert call.end is not None
        return call.end

    blocked = max(on(timeline, "sender", "send"), key=lambda one: ended(one) - one.start)
    reads = on(timeline, "receiver", "recv")
    before, again = max(pairwise(reads), key=lambda two: two[1].start - ended(two[0]))
    assert again.start - ended(before) > 1 * SECOND
    assert blocked.start < again.start < ended(blocked)


@pytest.mark.scenario("full")
def test_the_window_is_closed_probed_and_opened_on_the_wire(timeline: SeenTimeline) -> None:
    acks, sent = wire(timeline, "receiver"), wire(timeline, "sender")
    spans = list(closed(acks))
    assert spans, "no segment said that the window is closed, or none that it is open again"
    first, opened = max(spans, key=lambda span: span[1] - span[0])
    while_closed = [one for one in sent if first < one.time < opened]
    probes = [one for one in while_closed if not one.length and one.seq is not None]
    assert len(probes) >= 3
    gaps = [two.time - one.time for one, two in pairwise(probes)]
    assert max(gaps) > 1.5 * min(gaps)  # each waits twice as long as the one before
    after = [one for one in sent if one.time > opened and not one.retransmission]
    assert sum(one.length for one in after) > 500_000


def closed(acks: list[Segment]) -> Iterator[tuple[int, int]]:
    """Yield from when to when the window was closed that these segments tell."""
    since: int | None = None
    for one in acks:
        if one.window == 0 and since is None:
            since = one.time
        elif one.window and since is not None:
            yield since, one.time
            since = None


@pytest.mark.scenario("no-wait")
def test_a_sender_that_does_not_wait_is_told_eagain(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    taken = [call for call in on(timeline, "sender", "send") if not call.failed]
    assert sum(call.result or 0 for call in taken) == 1_000_000
    assert len(taken) > 2, "two messages, and no send took a part only"


@pytest.mark.scenario("stream")
def test_five_sends_may_be_one_recv(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


def test_what_one_recv_returned_is_all_five_messages(lab: LabUnderTest) -> None:
    result = lab.run("stream")
    assert result.passed, result.failed_step
    line = "recv 1: 500 of 65536 bytes: a×100 b×100 c×100 d×100 e×100"
    assert line in result.step("receiver").stdout


@pytest.mark.scenario("pieces")
def test_one_send_may_be_many_recv(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    sizes = [call.result or 0 for call in on(timeline, "receiver", "recv")]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 16384


@pytest.mark.scenario("one-recv")
def test_a_receiver_that_takes_one_recv_for_a_message_is_rejected(
    timeline: SeenTimeline,
) -> None:
    verdict = timeline.matches(timeline.declared)
    timeline.failed.clear()  # as it must be
    assert not verdict
    assert "recv{7,}" in str(verdict)
    found = {one.rule: one for one in diagnose(timeline)}
    assert "without calling recv again for the rest" in found["short-read"].sentence
    assert found["short-read"].host == "receiver"


@pytest.mark.scenario("datagrams")
def test_over_udp_each_recv_is_one_datagram(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("cut")
def test_what_is_longer_than_the_buffer_is_cut(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    assert [one.length for one in wire(timeline, "sender")] == [100] * 5


def errors(text: str) -> int:
    """Return UdpRcvbufErrors as nstat(8) prints it."""
    found = re.search(r"UdpRcvbufErrors\s+(\d+)", text)
    assert found is not None, text
    return int(found[1])


def test_what_finds_no_room_is_dropped_and_counted(lab: LabUnderTest) -> None:
    before = errors(lab.exec("receiver", "nstat", "-asz", "UdpRcvbufErrors").stdout.decode())
    result, sampled = lab.queues("loss")
    assert result.passed, result.failed_step
    received = len(re.findall(r"^datagram \d+ from", result.step("receiver").stdout, re.M))
    counted = result.step("dropped").stdout
    of_socket = re.search(r"skmem:\(.*,d(\d+)\)", counted)
    assert of_socket is not None, counted
    dropped = int(of_socket[1])
    assert received > 0
    assert dropped > 0
    assert received + dropped == 100
    assert errors(counted) - before == dropped
    flow = busy(sampled)
    assert flow.dropped == dropped
    assert max(one.receive_buffer or 0 for one in levels(flow.receiver)) == 2 * 10_000


@pytest.mark.scenario("loss")
def test_all_datagrams_cross_the_wire_before_some_are_dropped(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
