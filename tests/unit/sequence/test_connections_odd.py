"""TCP connections that come about in unusual ways, and attempts that come to nothing."""

from __future__ import annotations

import pytest

from labctl.sequence.connection import Connection
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket

ONE, OTHER = f"{CLIENT}:5000", f"{SERVER}:6000"


def two() -> Story:
    return Story(client=CLIENT, server=SERVER)


def only(story: Story) -> Connection:
    (made,) = Timeline.of(story.recording()).connections
    return made


def attempt(story: Story, port: int = 40000) -> tuple[Thread, str, str]:
    """The client's socket and a connect that goes on, its SYN sent."""
    client = story.thread("client")
    tcp_socket(client)
    client.begin("connect", 3, address=f"{SERVER}:80")
    story.segment(f"{CLIENT}:{port}", f"{SERVER}:80", "SYN", 0)
    return client, f"{CLIENT}:{port}", f"{SERVER}:80"


def at_once(story: Story) -> None:
    """Both ends connect at once: their SYNs cross (RFC 9293, 3.5)."""
    opening = []
    for host, own, other in (("client", ONE, OTHER), ("server", OTHER, ONE)):
        thread = story.thread(host)
        tcp_socket(thread)
        thread.call("bind", 3, address=own)
        opening.append((thread, thread.begin("connect", 3, address=other)))
    story.segment(ONE, OTHER, "SYN", 0)
    story.segment(OTHER, ONE, "SYN", 0)
    story.segment(ONE, OTHER, "SYN-ACK", 0, 1)
    story.segment(OTHER, ONE, "SYN-ACK", 0, 1)
    for thread, call in opening:
        thread.end(call)


def test_both_ends_may_open_at_once() -> None:
    story = two()
    at_once(story)
    made = only(story)
    assert (made.outcome, len(made.segments)) == ("established", 4)
    assert [str(side.endpoint) for side in made.sides] == [ONE, OTHER]
    for side in made.sides:
        assert [call.name for call in side.calls] == ["socket", "bind", "connect"]
        assert {call.host for call in side.calls} == {side.host}


def test_a_socket_may_connect_to_itself() -> None:
    story = Story(client=CLIENT)
    thread = story.thread("client")
    tcp_socket(thread)
    thread.call("bind", 3, address="127.0.0.1:5000")
    call = thread.begin("connect", 3, address="127.0.0.1:5000")
    for flags, seq, ack in (("SYN", 0, None), ("SYN-ACK", 0, 1), ("ACK", 1, 1)):
        story.segment("127.0.0.1:5000", "127.0.0.1:5000", flags, seq, ack, host="client")
    thread.end(call)
    made = only(story)
    assert (made.outcome, len(made.segments)) == ("established", 3)
    assert made.client.endpoint == made.server.endpoint
    assert [c.name for c in made.client.calls] == ["socket", "bind", "connect"]


def test_a_syn_that_is_sent_again_is_of_the_same_attempt() -> None:
    story = two()
    client, own, other = attempt(story)
    story.tick(1_000_000_000)
    story.segment(own, other, "SYN", 0, retransmission=True)
    story.segment(other, own, "SYN-ACK", 0, 1)
    client.end(story.calls[-1])
    assert only(story).outcome == "established"


def test_refused_by_a_reset() -> None:
    story = two()
    client, own, other = attempt(story)
    story.segment(other, own, "RST-ACK", 0, 1)
    client.end(story.calls[-1], errno="ECONNREFUSED")
    made = only(story)
    assert (made.outcome, len(made.segments)) == ("refused", 2)
    assert made.server.host == "server"


def test_refused_as_only_the_call_tells() -> None:
    story = two()
    client = story.thread("client")
    tcp_socket(client)
    client.call("connect", 3, errno="ECONNREFUSED", address=f"{SERVER}:80")
    assert only(story).outcome == "refused"


def test_unreachable_as_icmp_tells() -> None:
    story = two()
    story.addresses["router"] = "10.0.0.254"
    _, own, other = attempt(story)
    story.segment(
        "10.0.0.254:0", f"{CLIENT}:0", protocol="icmp", about=f"host unreachable {other} tcp"
    )
    story.segment(own, other, "SYN", 0, retransmission=True)
    made = only(story)
    assert made.outcome == "unreachable"
    assert [s.protocol for s in made.segments] == ["tcp", "icmp", "tcp"]


def test_unreachable_as_only_the_call_tells() -> None:
    story = two()
    client = story.thread("client")
    tcp_socket(client)
    client.call("connect", 3, errno="ENETUNREACH", address="10.7.7.7:80")
    assert only(story).outcome == "unreachable"


def test_icmp_of_a_connection_that_works_takes_nothing_from_it() -> None:
    story = two()
    server = story.thread("server", 10)
    listening(server)
    talk = Dialogue(story.thread("client"), server)
    talk.connect()
    talk.accept()
    story.segment(
        f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=f"fragmentation needed {SERVER}:80 tcp"
    )
    assert only(story).outcome == "established"


def test_each_of_many_refusals_by_icmp_is_given_to_its_own_attempt() -> None:
    story = two()
    for port in (40000, 40001, 40002):
        attempt(story, port)
        story.segment(
            f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=f"prohibited {SERVER}:80 tcp"
        )
    made = Timeline.of(story.recording()).connections
    assert [c.outcome for c in made] == ["unreachable"] * 3
    assert [len(c.segments) for c in made] == [2, 2, 2]


@pytest.mark.parametrize("errno", ["ETIMEDOUT", None])
def test_unanswered(errno: str | None) -> None:
    story = two()
    client, own, other = attempt(story)
    story.segment(own, other, "SYN", 0, retransmission=True, lost=True)
    if errno:
        client.end(story.calls[-1], errno=errno)
    assert only(story).outcome == "unanswered"


def test_a_connect_that_returned_0_was_answered_whatever_the_capture_missed() -> None:
    story = two()
    client, _, _ = attempt(story)
    client.end(story.calls[-1])
    assert only(story).outcome == "established"


@pytest.mark.parametrize("errno", ["EINVAL", "EBADF", "EFAULT", "EAFNOSUPPORT"])
def test_a_connect_whose_arguments_are_wrong_is_no_attempt(errno: str) -> None:
    story = two()
    client = story.thread("client")
    tcp_socket(client)
    client.call("connect", 3, errno=errno, address="10.255.255.255:80")
    assert Timeline.of(story.recording()).connections == ()


@pytest.mark.parametrize("errno", ["EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EPERM"])
def test_an_attempt_that_the_own_kernel_refuses_sends_nothing(errno: str) -> None:
    story = two()
    client, other = story.thread("client"), story.thread("client", 101)
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    tcp_socket(other)
    second = other.begin("connect", 3)
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    client.end(call, errno=errno)
    other.end(second, errno="ETIMEDOUT")
    unsent, sent = Timeline.of(story.recording()).connections
    assert (unsent.outcome, unsent.segments) == ("unsent", ())
    assert sent.client.calls[0].pid == 101


def test_an_ipv6_socket_that_speaks_ipv4() -> None:
    story = two()
    client = story.thread("client")
    client.call("socket", result=3, family="AF_INET6", type="SOCK_STREAM")
    call = client.begin("connect", 3, address=f"[::ffff:{SERVER}]:80")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "SYN-ACK", 0, 1)
    client.end(call)
    assert [c.name for c in only(story).client.calls] == ["socket", "connect"]
