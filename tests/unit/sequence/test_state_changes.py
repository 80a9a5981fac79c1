"""Changes of TCP states, given to the connections they were of."""

from __future__ import annotations

import pytest

from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket
from tests.unit.sequence.looking import order

OWN, OTHER = f"{CLIENT}:40000", f"{SERVER}:80"


def told(timeline: Timeline) -> list[list[str]]:
    return [[f"{s.host} {s.new}" for s in made.states] for made in timeline.connections]


def test_each_of_two_that_use_one_pair_of_endpoints_has_its_own() -> None:
    story = Story("tracefs", client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    for number in range(2):
        client = story.thread("client", 100 + number)
        tcp_socket(client)
        call = client.begin("connect", 3, address=OTHER)
        story.state("client", OWN, OTHER, "CLOSED", "SYN-SENT")
        story.segment(OWN, OTHER, "SYN", 0)
        story.state("server", OTHER, OWN, "LISTEN", "SYN-RECEIVED")
        story.segment(OTHER, OWN, "SYN-ACK", 0, 1)
        story.state("client", OWN, OTHER, "SYN-SENT", "ESTABLISHED")
        client.end(call)
        story.segment(OWN, OTHER, "RST", 1)
        story.state("server", OTHER, OWN, "SYN-RECEIVED", "CLOSED")
    each = [
        "client SYN-SENT",
        "server SYN-RECEIVED",
        "client ESTABLISHED",
        "server CLOSED",
    ]
    assert told(Timeline.of(story.recording())) == [each, each]


@pytest.mark.parametrize("captured", [True, False])
def test_syn_sent_does_not_tell_the_port_that_is_chosen_afterwards(captured: bool) -> None:
    story = Story("tracefs", client=CLIENT, server=SERVER)
    server = story.thread("server", 10)
    listening(server)
    for number in range(3):
        client = story.thread("client", 100 + number)
        own = f"{CLIENT}:{40000 + number}"
        tcp_socket(client)
        call = client.begin("connect", 3, address=OTHER)
        story.state("client", f"{CLIENT}:0", OTHER, "CLOSED", "SYN-SENT")
        if captured:
            story.segment(own, OTHER, "SYN", 0)
            story.segment(OTHER, own, "SYN-ACK", 0, 1)
        client.end(call)
    assert told(Timeline.of(story.recording())) == [["client SYN-SENT"]] * 3


def test_loopback_of_two_hosts_is_not_mixed_up() -> None:
    story = Story("tracefs", client=CLIENT, server=SERVER)
    for host in ("client", "server"):
        own = story.thread(host, 10)
        listening(own)
        Dialogue(story.thread(host, 20), own, 40000, address="127.0.0.1").connect()
    story.state("client", "127.0.0.1:40000", "127.0.0.1:80", "SYN-SENT", "ESTABLISHED")
    story.state("server", "127.0.0.1:40000", "127.0.0.1:80", "SYN-SENT", "ESTABLISHED")
    assert told(Timeline.of(story.recording())) == [["client ESTABLISHED"], ["server ESTABLISHED"]]


def test_changes_of_no_connection_are_kept_in_the_recording_only() -> None:
    story = Story("tracefs", server=SERVER)
    listening(story.thread("server"))
    story.state("server", "0.0.0.0:80", "0.0.0.0:0", "CLOSED", "LISTEN")
    story.state("server", "0.0.0.0:80", "10.9.9.9:7", "CLOSED", "LISTEN")
    timeline = Timeline.of(story.recording())
    assert timeline.connections == ()
    assert len(timeline.moments) == 2 * 3 + 2


def test_states_of_one_end_are_in_their_order_and_between_the_calls() -> None:
    story = Story("tracefs", client=CLIENT, server=SERVER)
    listening(story.thread("server", 10))
    client = story.thread("client")
    tcp_socket(client)
    call = client.begin("connect", 3, address=OTHER)
    sending = story.state("client", f"{CLIENT}:0", OTHER, "CLOSED", "SYN-SENT")
    story.segment(OWN, OTHER, "SYN", 0)
    story.segment(OTHER, OWN, "SYN-ACK", 0, 1)
    open_ = story.state("client", OWN, OTHER, "SYN-SENT", "ESTABLISHED")
    call = client.end(call)
    timeline = Timeline.of(story.recording())
    assert order(timeline, (sending, "at"), (open_, "at")) == "before"
    (connect,) = [c for c in timeline.calls if c.name == "connect"]
    assert order(timeline, (connect, "call"), (sending, "at")) == "before"
    assert order(timeline, (connect, "return"), (open_, "at")) == "after"
