"""What comes before what: by causes, and by clocks where these are sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.sequence.events import Call, Segment
from labctl.sequence.moments import NEAR
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import (
    CLIENT,
    SERVER,
    Dialogue,
    datagrams,
    exchange,
    listening,
    tcp_socket,
)
from tests.unit.sequence.looking import call, calls, moment, order


@pytest.fixture(scope="module")
def figure() -> Timeline:
    """Figure 6-30, its server a subordinate, all within 2 ms: no clock decides."""
    timeline = Timeline.of(exchange(subordinates=True))
    assert timeline.moments[-1].time - timeline.moments[0].time < NEAR
    return timeline


def segment(timeline: Timeline, flags: str, sender: str, length: int | None = None) -> Segment:
    """Return the first segment with just these flags from one end."""
    (made,) = timeline.connections
    side = made.client if sender == "client" else made.server
    wanted = set(flags.split("-"))
    return next(
        s
        for s in made.segments
        if s.source == side.endpoint and set(s.flags) == wanted and length in (None, s.length)
    )


def test_a_thread_makes_one_call_after_another(figure: Timeline) -> None:
    bind, listen = call(figure, "bind"), call(figure, "listen")
    assert order(figure, (bind, "call"), (bind, "return")) == "before"
    assert order(figure, (bind, "return"), (listen, "call")) == "before"
    assert order(figure, (listen, "return"), (bind, "call")) == "after"


def test_a_segment_is_sent_before_it_is_received(figure: Timeline) -> None:
    for one in figure.recording.segments:
        assert order(figure, (one, "sent"), (one, "received")) == "before"


def test_connect_sends_the_syn_and_returns_when_it_is_answered(figure: Timeline) -> None:
    connect = call(figure, "connect")
    syn, answer = segment(figure, "SYN", "client"), segment(figure, "SYN-ACK", "server")
    assert order(figure, (connect, "call"), (syn, "sent")) == "before"
    assert order(figure, (syn, "received"), (answer, "sent")) == "before"
    assert order(figure, (answer, "received"), (connect, "return")) == "before"


def test_listen_was_called_before_the_syn_that_is_answered(figure: Timeline) -> None:
    listen, syn = call(figure, "listen"), segment(figure, "SYN", "client")
    assert order(figure, (listen, "call"), (syn, "received")) == "before"
    assert order(figure, (listen, "return"), (syn, "received")) == "unordered"


def test_accept_returns_when_the_handshake_is_complete(figure: Timeline) -> None:
    accept, done = call(figure, "accept"), segment(figure, "ACK", "client")
    assert order(figure, (done, "received"), (accept, "return")) == "before"


def test_nothing_orders_the_returns_of_connect_and_accept(figure: Timeline) -> None:
    connect, accept = call(figure, "connect"), call(figure, "accept")
    assert order(figure, (connect, "return"), (accept, "return")) == "unordered"
    assert order(figure, (accept, "return"), (connect, "return")) == "unordered"


def test_data_is_sent_before_it_goes_and_comes_before_it_is_received(figure: Timeline) -> None:
    (send,), (recv,) = calls(figure, "sendto", "client"), calls(figure, "recvfrom", "server")
    data = segment(figure, "PSH-ACK", "client")
    assert order(figure, (send, "call"), (data, "sent")) == "before"
    assert order(figure, (data, "received"), (recv, "return")) == "before"
    assert order(figure, (send, "call"), (recv, "return")) == "before"
    assert order(figure, (send, "return"), (recv, "return")) == "unordered"


def test_nothing_is_acknowledged_before_it_has_come(figure: Timeline) -> None:
    data = segment(figure, "PSH-ACK", "client")
    answer = segment(figure, "PSH-ACK", "server")
    assert order(figure, (data, "received"), (answer, "sent")) == "before"


def test_the_fin_leaves_in_close_and_comes_before_recv_returns_0(figure: Timeline) -> None:
    fin = segment(figure, "FIN-ACK", "server")
    closing = [c for c in calls(figure, "close", "server") if c.last and c.socket != 1]
    end = next(c for c in calls(figure, "recvfrom", "client") if c.result == 0)
    assert order(figure, (closing[0], "call"), (fin, "sent")) == "before"
    assert order(figure, (fin, "received"), (end, "return")) == "before"


def test_a_process_begins_in_fork_and_has_ended_when_wait_returns(figure: Timeline) -> None:
    fork, wait = call(figure, "clone"), call(figure, "wait4")
    own = [c for c in figure.calls if c.pid == fork.result]
    (end,) = [e for e in figure.recording.processes if e.kind == "exit" and e.pid == fork.result]
    assert order(figure, (fork, "call"), (own[0], "call")) == "before"
    assert order(figure, (own[-1], "return"), (end, "at")) == "before"
    assert order(figure, (end, "at"), (wait, "return")) == "before"


def test_a_child_s_calls_may_come_before_clone_returns() -> None:
    story = Story(server=SERVER)
    thread = story.thread("server")
    child = thread.fork(200, stamped_late=True)
    child.call("close", 3)
    timeline = Timeline.of(story.recording())
    fork, own = call(timeline, "clone"), call(timeline, "close")
    assert order(timeline, (fork, "call"), (own, "call")) == "before"
    assert order(timeline, (fork, "return"), (own, "call")) == "unordered"


def test_waitid_names_its_child_in_its_arguments() -> None:
    story = Story(server=SERVER)
    thread = story.thread("server")
    waiting = thread.begin("waitid")
    child = thread.fork(200)
    child.exit()
    thread.end(waiting, 0, child=200)
    timeline = Timeline.of(story.recording())
    end = timeline.recording.processes[-1]
    assert order(timeline, (end, "at"), (call(timeline, "waitid"), "return")) == "before"


def test_a_later_listen_only_changes_the_backlog() -> None:
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    talk = Dialogue(story.thread("client"), server)
    talk.connect()
    server.call("listen", 3, backlog=100)
    talk.accept()
    timeline = Timeline.of(story.recording())
    first, second = calls(timeline, "listen")
    syn = segment(timeline, "SYN", "client")
    assert order(timeline, (first, "call"), (syn, "received")) == "before"
    assert order(timeline, (second, "call"), (syn, "received")) == "unordered"


def test_a_syn_ack_that_was_lost_orders_nothing_but_the_next_one_does() -> None:
    story = Story(client=CLIENT, server=SERVER)
    listening(story.thread("server", 10))
    client = story.thread("client")
    tcp_socket(client)
    connecting = client.begin("connect", 3, address=f"{SERVER}:80")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "SYN-ACK", 0, 1, lost=True)
    again = story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "SYN-ACK", 0, 1, retransmission=True)
    connecting = client.end(connecting)
    timeline = Timeline.of(story.recording())
    connect = call(timeline, "connect")
    assert order(timeline, (again, "received"), (connect, "return")) == "before"


def test_data_that_comes_out_of_order_is_received_when_the_gap_is_filled() -> None:
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client")
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    client.call("sendto", 3, 20, length=20)
    ends = f"{CLIENT}:40000", f"{SERVER}:80"
    story.segment(*ends, "ACK", 1, 1, 10, lost=True)
    later = story.segment(*ends, "ACK", 11, 1, 10)
    filling = story.segment(*ends, "ACK", 1, 1, 10, retransmission=True)
    acknowledging = story.segment(ends[1], ends[0], "ACK", 1, 21)
    server.call("recvfrom", 4, 5, length=5)
    timeline = Timeline.of(story.recording())
    recv = call(timeline, "recvfrom")
    assert order(timeline, (later, "received"), (recv, "return")) == "unordered"
    assert order(timeline, (filling, "received"), (recv, "return")) == "before"
    assert order(timeline, (filling, "received"), (acknowledging, "sent")) == "before"


def half_closed() -> tuple[Story, Dialogue]:
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    talk = Dialogue(story.thread("client"), server)
    talk.connect()
    talk.accept()
    return story, talk


def test_recv_returns_0_after_one_s_own_shutdown_without_any_fin() -> None:
    story, talk = half_closed()
    talk.client.call("shutdown", 3, how="SHUT_RDWR")
    talk.client.call("recvfrom", 3, 0, length=10)
    talk.send("server", "FIN-ACK")
    timeline = Timeline.of(story.recording())
    fin, recv = segment(timeline, "FIN-ACK", "server"), call(timeline, "recvfrom")
    assert order(timeline, (fin, "received"), (recv, "return")) == "unordered"


def test_recv_of_no_bytes_returns_0_without_any_fin() -> None:
    story, talk = half_closed()
    talk.client.call("recvfrom", 3, 0, length=0)
    talk.send("server", "FIN-ACK")
    timeline = Timeline.of(story.recording())
    fin, recv = segment(timeline, "FIN-ACK", "server"), call(timeline, "recvfrom")
    assert order(timeline, (fin, "received"), (recv, "return")) == "unordered"


@pytest.mark.parametrize(("shut", "wanted"), [(False, "before"), (True, "unordered")])
def test_a_call_fails_with_what_a_reset_has_told(shut: bool, wanted: str) -> None:
    """Not so where one's own shutdown is reason enough for EPIPE."""
    story, talk = half_closed()
    if shut:
        talk.client.call("shutdown", 3, how="SHUT_WR")
    talk.send("server", "RST")
    talk.client.call("sendto", 3, errno="EPIPE", length=5)
    timeline = Timeline.of(story.recording())
    reset, send = segment(timeline, "RST", "server"), call(timeline, "sendto")
    assert order(timeline, (reset, "received"), (send, "return")) == wanted


def test_what_a_splice_sends_is_not_taken_for_what_the_next_send_does() -> None:
    story, talk = half_closed()
    talk.client.call("splice", 9, 5, to=3, length=5)
    talk.send("client", "PSH-ACK", 5)
    talk.client.call("sendto", 3, 10, length=10)
    timeline = Timeline.of(story.recording())
    data, send = segment(timeline, "PSH-ACK", "client"), call(timeline, "sendto")
    assert order(timeline, (send, "call"), (data, "sent")) == "unordered"


def test_two_threads_that_receive_at_once_may_return_in_either_order() -> None:
    """Who waited first need not get the first bytes: only what has come by then is sure."""
    story, talk = half_closed()
    other = talk.server.spawn(11)
    first = talk.server.begin("recvfrom", 4, length=10)
    second = other.begin("recvfrom", 4, length=10)
    talk.client.call("sendto", 3, 10, length=10)
    talk.send("client", "PSH-ACK", 10)
    second = other.end(second, 10)
    talk.client.call("sendto", 3, 10, length=10)
    talk.send("client", "PSH-ACK", 10)
    first = talk.server.end(first, 10)
    timeline = Timeline.of(story.recording())
    sent = [s for s in timeline.recording.segments if s.length]
    done = {c.tid: c for c in calls(timeline, "recvfrom")}
    assert order(timeline, (sent[0], "received"), (done[11], "return")) == "before"
    assert order(timeline, (sent[1], "received"), (done[11], "return")) == "unordered"
    assert order(timeline, (sent[1], "received"), (done[10], "return")) == "before"


def test_both_ends_that_open_at_once() -> None:
    story = Story(client=CLIENT, server=SERVER)
    ends = {"client": f"{CLIENT}:5000", "server": f"{SERVER}:6000"}
    opening = {}
    for host, other in (("client", "server"), ("server", "client")):
        thread = story.thread(host)
        tcp_socket(thread)
        thread.call("bind", 3, address=ends[host])
        opening[host] = thread, thread.begin("connect", 3, address=ends[other])
    one = story.segment(ends["client"], ends["server"], "SYN", 0)
    two = story.segment(ends["server"], ends["client"], "SYN", 0)
    story.segment(ends["client"], ends["server"], "SYN-ACK", 0, 1)
    story.segment(ends["server"], ends["client"], "SYN-ACK", 0, 1)
    for thread, begun in opening.values():
        thread.end(begun)
    timeline = Timeline.of(story.recording())
    assert order(timeline, (one, "received"), (two, "sent")) == "unordered"
    for host, came in (("client", two), ("server", one)):
        connect = call(timeline, "connect", host)
        assert order(timeline, (came, "received"), (connect, "return")) == "before"


def test_datagrams_are_sent_by_a_send_and_received_after_they_came() -> None:
    timeline = Timeline.of(datagrams(count=2, told=False))
    asks = calls(timeline, "sendto", "client")
    gets = calls(timeline, "recvfrom", "server")
    questions = [s for s in timeline.recording.segments if s.target.port == 53]
    for ask, question, get in zip(asks, questions, gets, strict=True):
        assert order(timeline, (ask, "call"), (question, "sent")) == "before"
        assert order(timeline, (question, "received"), (get, "return")) == "before"
    assert order(timeline, (asks[0], "return"), (gets[0], "return")) == "unordered"


def test_icmp_answers_a_datagram_and_makes_a_call_fail() -> None:
    story = Story(client=CLIENT, server=SERVER)
    client = story.thread("client")
    client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    client.call("connect", 3, address=f"{SERVER}:9")
    client.call("sendto", 3, 5, length=5)
    asked = story.segment(f"{CLIENT}:50000", f"{SERVER}:9", protocol="udp", length=5)
    told = story.segment(
        f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=f"port unreachable {SERVER}:9 udp"
    )
    client.call("recvfrom", 3, errno="ECONNREFUSED", length=100)
    timeline = Timeline.of(story.recording())
    failed = call(timeline, "recvfrom")
    assert order(timeline, (asked, "received"), (told, "sent")) == "before"
    assert order(timeline, (told, "received"), (failed, "return")) == "before"


@pytest.mark.parametrize(
    ("gap", "wanted"), [(NEAR + 1, "before"), (NEAR, "unordered"), (0, "unordered")]
)
def test_clocks_decide_what_is_far_apart(gap: int, wanted: str) -> None:
    story = Story(client=CLIENT, server=SERVER)
    first = story.thread("client").begin("socket")
    second = replace(first, host="server", start=first.start + gap)
    story.calls.append(second)
    timeline = Timeline.of(story.recording())
    assert order(timeline, (first, "call"), (second, "call")) == wanted


def late(figure: Timeline, by: int) -> tuple[Timeline, Call, Segment]:
    """Stamp the SYN as sent before the connect that sent it was called."""
    connect, syn = call(figure, "connect"), segment(figure, "SYN", "client")
    assert syn.sent is not None
    wrong = replace(syn, sent=syn.sent._replace(time=connect.start - by))
    segments = tuple(wrong if s is syn else s for s in figure.recording.segments)
    timeline = Timeline.of(replace(figure.recording, segments=segments))
    return timeline, connect, wrong


def test_a_clock_that_contradicts_a_cause_a_little_is_wrong(figure: Timeline) -> None:
    timeline, connect, syn = late(figure, 1_000_000)
    assert order(timeline, (connect, "call"), (syn, "sent")) == "before"
    assert timeline.doubted == 0
    places = {id(m): n for n, m in enumerate(timeline.moments)}
    called, sent = moment(timeline, connect, "call"), moment(timeline, syn, "sent")
    assert places[id(called)] < places[id(sent)]


def test_a_clock_that_contradicts_a_cause_by_far_makes_it_none(figure: Timeline) -> None:
    syn = segment(figure, "SYN", "client")
    assert syn.sent is not None
    assert syn.received is not None
    wrong = replace(syn, received=syn.received._replace(time=syn.sent.time - 2 * NEAR))
    segments = tuple(wrong if s is syn else s for s in figure.recording.segments)
    timeline = Timeline.of(replace(figure.recording, segments=segments))
    assert order(timeline, (wrong, "sent"), (wrong, "received")) == "after"
    assert (figure.doubted, timeline.doubted > 0) == (0, True)
