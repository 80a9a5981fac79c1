"""Which two sockets are the ends of one flow, and when something in it is worth a mark."""

from __future__ import annotations

from labctl.observe.queues.flows import blocked, closed_window, drops, flows, probes
from labctl.observe.queues.model import Flow, Span
from labctl.observe.queues.seen import seen
from labctl.sequence.events import Endpoint
from labctl.sequence.timeline import Timeline
from tests.unit.observe.queues import made
from tests.unit.observe.queues.made import at, level, receiver, sampled, sender, stalled
from tests.unit.sequence.build import Story


def test_both_directions_of_a_connection_are_flows() -> None:
    found = flows(stalled())
    ends = [(f.sender and f.sender.host, f.receiver and f.receiver.host) for f in found]
    assert ends == [("a", "b"), ("b", "a")]
    assert [f.quiet for f in found] == [False, True]
    assert (found[0].highest_send, found[0].highest_receive) == (30_000, 60_000)


def test_an_end_that_was_not_seen_is_none() -> None:
    alone = flows(sampled([sender(level(1, send_queue=500))]))
    assert [(f.sender is None, f.receiver is None) for f in alone] == [(False, True), (True, False)]


def test_connections_one_after_the_other_with_the_same_ports_are_told_apart() -> None:
    first = sender(level(1, send_queue=10), gone=at(2)), receiver(level(1), gone=at(2))
    again = sender(level(3, send_queue=20), key="x"), receiver(level(3), key="y")
    pairs = {
        (f.sender.key, f.receiver.key)
        for f in flows(sampled([*again, *first]))
        if f.sender and f.receiver and f.sender.host == "a"
    }
    assert pairs == {("cookie:1", "cookie:2"), ("x", "y")}


def test_each_udp_socket_is_an_end_by_itself() -> None:
    bound = receiver(
        level(1, dropped=2),
        level(2, receive_queue=900, dropped=2),
        level(3, dropped=7),
        level(4, dropped=8),
        protocol="udp",
        remote=None,
    )
    (flow,) = flows(sampled([bound]))
    assert (flow.protocol, flow.sender, flow.receiver) == ("udp", None, bound)
    assert flow.dropped == 6
    assert drops(flow) == (Span(at(3), at(3), "5"), Span(at(4), at(4), "1"))


def test_what_tcp_counts_as_dropped_is_no_loss() -> None:
    probed = Flow("tcp", sender(level(1)), receiver(level(1, dropped=0), level(2, dropped=9)))
    assert probed.dropped == 0
    assert drops(probed) == ()
    assert probed.quiet


def test_look_ups_of_names_are_left_out() -> None:
    resolver = Endpoint("127.0.0.11", 53)
    asks = receiver(level(1, receive_queue=700), protocol="udp", remote=resolver)
    assert flows(sampled([asks])) == ()


def test_the_window_is_closed_while_it_is_probed() -> None:
    flow = flows(stalled())[0]
    assert closed_window(flow, at(10)) == (Span(at(2), at(5)),)
    to_the_end = Flow("tcp", sender(level(1), level(4, probing=True)), None)
    assert closed_window(to_the_end, at(10)) == (Span(at(4), at(10)),)
    gone = Flow("tcp", sender(level(4, probing=True), gone=at(6)), None)
    assert closed_window(gone, at(10)) == (Span(at(4), at(6)),)


def traced() -> Timeline:
    """A sender that is blocked in its second send, while a closed window is probed."""
    story = Story(a=made.SENDER.address, b=made.RECEIVER.address)
    story.now = at(1)
    thread = story.thread("a")
    ends = str(made.SENDER), str(made.RECEIVER)
    thread.call("socket", result=3, family="AF_INET", type="SOCK_STREAM")
    opening = thread.begin("connect", fd=3, address=ends[1])
    story.segment(*ends, "SYN", seq=0)
    story.segment(ends[1], ends[0], "SYN ACK", seq=0, ack=1)
    story.segment(*ends, seq=1, ack=1)
    thread.end(opening, result=0)
    thread.call("send", fd=3, result=100, length=100)
    story.segment(*ends, "PSH ACK", seq=1, ack=1, length=100)
    sending = thread.begin("send", fd=3, length=200)
    for seconds in (2.2, 2.6, 3.4):
        story.now = at(seconds)
        story.segment(*ends, seq=100, ack=1)
    story.now = at(5)
    thread.end(sending, result=200)
    return Timeline.of(story.recording())


def test_a_send_that_lasts_is_a_mark_and_a_short_one_is_none() -> None:
    queues = seen("stalled", stalled(), traced())
    assert queues.traced
    (one,) = queues.busy
    (span,) = one.blocked
    assert span.what == "send"
    assert span.end - span.start > 3 * made.SECOND
    assert one.probes == 3


def test_without_a_timeline_nothing_is_known_of_calls() -> None:
    queues = seen("stalled", stalled())
    assert not queues.traced
    assert queues.busy[0].blocked == ()
    assert blocked(queues.busy[0].flow, None, at(10)) == ()
    assert probes(queues.busy[0].flow, None) == 0
