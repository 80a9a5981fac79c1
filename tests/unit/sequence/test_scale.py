"""Many connections: the work grows as the recording does, and no faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labctl.sequence.assembled import assemble
from labctl.sequence.causes import causes
from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, exchange, tcp_socket
from tests.unit.sequence.work import work

FEW, MANY = 80, 240
"""Three times as much must cost less than 4.5 times the work; what is quadratic costs 9 times.

Not 3 times: of few flows, more have less than a whole window of others about them."""

PATTERN = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "send+", "close"],
    "client": ["socket", "connect", "send+", "recv+", "recv=0", "close"],
    "wire": ["SYN", "SYN-ACK", "ACK", "data+", "FIN", "FIN"],
    "before": [["client.connect.call", "server.accept.return"]],
}


def udp(count: int, *, refused: bool = False, captured: bool = True) -> Recording:
    """One UDP server, or none where it is refused, and many clients that ask once each."""
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    if not refused:
        server.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
        server.call("bind", 3, address="0.0.0.0:53")
    for number in range(count):
        client = story.thread("client", 100 + number)
        own, other = f"{CLIENT}:{20000 + number}", f"{SERVER}:53"
        client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
        client.call("bind", 3, address=own)
        client.call("sendto", 3, 5, length=5, address=other)
        if captured:
            story.segment(own, other, protocol="udp", length=5)
        if refused:
            told = f"port unreachable {other} udp"
            story.segment(f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=told)
        else:
            server.call("recvfrom", 3, 5, length=2048, address=own)
    return story.recording()


def unreachable(count: int) -> Recording:
    """Many connects that a router answers with ICMP."""
    story = Story(client=CLIENT, server=SERVER)
    for number in range(count):
        client = story.thread("client", 100 + number)
        tcp_socket(client)
        call = client.begin("connect", 3, address=f"{SERVER}:80")
        story.segment(f"{CLIENT}:{20000 + number}", f"{SERVER}:80", "SYN", 0)
        told = f"host unreachable {SERVER}:80 tcp"
        story.segment(f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=told)
        client.end(call, errno="EHOSTUNREACH")
    return story.recording()


def waiting(count: int) -> Recording:
    """Many connects at once to a server that accepts them all afterwards, and tells nothing."""
    story = Story(client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    tcp_socket(server)
    server.call("bind", 3, address="0.0.0.0:80")
    server.call("listen", 3)
    opening = []
    for number in range(count):
        client = story.thread("client", 100 + number)
        tcp_socket(client)
        opening.append((client, client.begin("connect", 3, address=f"{SERVER}:80")))
    for number, (client, call) in enumerate(opening):
        own = f"{CLIENT}:{20000 + number}"
        story.segment(own, f"{SERVER}:80", "SYN", 0)
        story.segment(f"{SERVER}:80", own, "SYN-ACK", 0, 1)
        story.segment(own, f"{SERVER}:80", "ACK", 1, 1)
        client.end(call)
    for number in range(count):
        server.call("accept", 3, 4 + number)
    return story.recording()


def put_together(made: Recording) -> None:
    assert Timeline.of(made).moments


MAKERS: dict[str, Callable[[int], Recording]] = {
    "subordinates": lambda n: exchange(n, subordinates=True, told=False),
    "waiting": waiting,
    "unreachable": unreachable,
    "udp": udp,
    "udp refused": lambda n: udp(n, refused=True),
    "udp unseen": lambda n: udp(n, captured=False),
}


@pytest.mark.parametrize("name", MAKERS)
def test_the_work_grows_as_the_recording_does(name: str) -> None:
    put_together(MAKERS[name](3))  # what is only done once in a process is done
    small, large = MAKERS[name](FEW), MAKERS[name](MANY)
    assert work(lambda: put_together(large)) < 1.5 * MANY / FEW * work(lambda: put_together(small))


def test_1_000_connections_are_told_apart_ordered_and_matched() -> None:
    made = exchange(1_000, told=False)
    timeline = Timeline.of(made)
    assert len(timeline.connections) == 1_000
    assert {c.outcome for c in timeline.connections} == {"established"}
    assert {len(c.client.calls) for c in timeline.connections} == {6}
    assert {len(c.server.calls) for c in timeline.connections} == {7}
    moments = 2 * (len(made.calls) + len(made.segments)) + len(made.processes)
    assert len(timeline.moments) == moments
    assert timeline.doubted == 0
    assert timeline.matches(PATTERN)


def test_causes_are_as_many_as_moments_not_as_pairs_of_them() -> None:
    made = exchange(MANY)
    found = [*causes(made, assemble(made))]
    assert len(found) < 3 * len(Timeline.of(made).moments)
