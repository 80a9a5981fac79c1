"""Which connections are drawn where there are many, and what is said of the others."""

from __future__ import annotations

from typing import Any

from labctl.sequence.recording import Recording
from labctl.sequence.timeline import Timeline
from labctl.show.figure.content import LOOKUP_CALLS, LOOKUP_SEGMENTS
from labctl.show.figure.footing import foot_lines
from labctl.show.figure.layout import layout
from labctl.show.figure.model import Options
from tests.unit.sequence.build import START, Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket

RESOLVER = "127.0.0.11"


def retries_then_download(ports: int = 8) -> Timeline:
    """A client is refused at many ports, twice at each, before it fetches something."""
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server)
    for number in range(2 * ports):
        port = 7000 + number // 2
        tcp_socket(client)
        call = client.begin("connect", 3, address=f"{SERVER}:{port}")
        story.segment(f"{CLIENT}:{50000 + number}", f"{SERVER}:{port}", "SYN", 0)
        story.segment(f"{SERVER}:{port}", f"{CLIENT}:{50000 + number}", "RST-ACK", 0, 1)
        client.end(call, errno="ECONNREFUSED")
        client.call("close", 3)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    talk.say("client", 17)
    talk.say("server", 5000)
    talk.close("server")
    talk.end_of_data("client")
    talk.close("client")
    return Timeline.of(story.recording("retries"))


def test_data_comes_before_failed_tries() -> None:
    figure = layout(retries_then_download())
    assert [connection.id for connection in figure.connections] == [1, 3, 5, 7, 9, 17]
    lines = list(foot_lines(figure))
    assert lines[0].startswith("1 more connection like 1: 2 (--connection 2), ")
    assert lines[5].startswith("6 more connections of other kinds: 11-16 (--connection 11), ")


def test_what_is_preferred_stands_for_its_kind() -> None:
    figure = layout(retries_then_download(), Options(prefer=(16, 12, 17)))
    assert [connection.id for connection in figure.connections] == [1, 3, 5, 12, 16, 17]
    assert {group.like: group.members for group in figure.groups}[16] == (15,)


def looking_up() -> Recording:
    """A client looks a name up, as Docker's NAT shows it, and sends a datagram to its address."""
    story = Story(client=CLIENT, server=SERVER)
    client = story.thread("client", 20)
    client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    client.call("connect", 3, address=f"{RESOLVER}:53")
    client.call("sendto", 3, result=24, length=24)
    where: dict[str, Any] = {"protocol": "udp", "host": "client"}
    story.segment("127.0.0.1:33000", f"{RESOLVER}:41234", length=24, **where)
    story.segment(f"{RESOLVER}:53", "127.0.0.1:33000", length=40, **where)
    story.segment("127.0.0.1:41234", "127.0.0.1:33000", length=40, **where)
    client.call("recvfrom", 3, result=40, address=f"{RESOLVER}:53")
    client.call("close", 3)
    client.call("socket", result=3, family="AF_INET", type="SOCK_DGRAM")
    client.call("sendto", 3, result=9, length=9, address=f"{SERVER}:9")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:9", protocol="udp", length=9)
    return story.recording("a look-up")


def test_lookups_are_counted_and_not_drawn() -> None:
    shown = Timeline.of(looking_up())
    figure = layout(shown)
    assert [str(c.server.endpoint) for c in figure.connections] == [f"{SERVER}:9"]
    assert [len(arrow.segments) for arrow in figure.arrows] == [1]
    assert figure.left_out == {LOOKUP_SEGMENTS: 3, LOOKUP_CALLS: 5}
    assert list(foot_lines(figure)) == [
        f"not drawn: 3 segments and 5 calls of name look-ups (DNS at {RESOLVER})"
    ]


def test_lookups_are_drawn_where_that_is_asked_for() -> None:
    shown = Timeline.of(looking_up())
    everything = layout(shown, Options(all_calls=True))
    assert len(everything.arrows) == 4
    asked = [c.id for c in shown.connections if RESOLVER in f"{c.client}{c.server}"]
    figure = layout(shown, Options(connections=asked))
    assert figure.arrows
    assert "sendto" in {call.name for bar in figure.bars for call in bar.calls}


def test_time_counts_from_the_first_event_of_the_recording() -> None:
    story = Story(server=SERVER)
    server = story.thread("server")
    server.call("getpid")
    story.tick(5_000_000)
    listening(server)
    shown = Timeline.of(story.recording())
    figure = layout(shown)
    first = next(call for call in shown.calls if call.name == "socket")
    assert figure.zero == shown.recording.start > START
    assert figure.rows[0] == first.start - shown.recording.start > 5_000_000
