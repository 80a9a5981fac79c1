"""Recordings of what figures have to be able to draw, apart from a plain exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from labctl.sequence.events import Sighting
from labctl.sequence.recording import Recording
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

MS = 1_000_000


def refused() -> Recording:
    """A server that bound 127.0.0.1, and a client that is refused; accept never returns."""
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server, "127.0.0.1:80")
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    story.segment(f"{CLIENT}:40000", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", f"{CLIENT}:40000", "RST-ACK", 0, 1)
    client.end(call, errno="ECONNREFUSED")
    client.call("close", 3)
    client.exit(1)
    server.begin("accept", 3)
    return story.recording("refused")


def lost() -> Recording:
    """Data that is lost, and sent again after 201 ms."""
    story = Story(client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    waiting = server.begin("recvfrom", 4, length=4096)
    call = client.begin("sendto", 3, length=500, data="GET numbers.txt\n")
    talk.send("client", "PSH-ACK", 500, lost=True)
    client.end(call, 500)
    story.tick(201 * MS)
    talk.next["client"] -= 500
    talk.send("client", "PSH-ACK", 500, retransmission=True)
    talk.send("server", "ACK")
    server.end(waiting, 500)
    talk.close("client")
    talk.end_of_data("server")
    return story.recording("a lost segment")


def big(pieces: int = 812) -> Recording:
    """A long transfer with TCP states, as tracefs sees it."""
    story = Story("tracefs", client=CLIENT, server=SERVER)
    server, client = story.thread("server", 10), story.thread("client", 20)
    listening(server)
    talk = Dialogue(client, server)
    ends = talk.ends["client"], talk.ends["server"]
    tcp_socket(client)
    call = client.begin("connect", 3, address=f"{SERVER}:80")
    story.state("client", *ends, "CLOSED", "SYN-SENT")
    talk.send("client", "SYN")
    talk.send("server", "SYN-ACK")
    story.state("client", *ends, "SYN-SENT", "ESTABLISHED")
    talk.send("client", "ACK")
    client.end(call)
    talk.accept()
    talk.say("client", 17)
    for number in range(pieces):
        call = server.begin("sendfile", 4, count=1 << 20)
        talk.send("server", "ACK", 57_920, joined=40)
        server.end(call, 57_920)
        client.call("recvfrom", 3, 57_920, length=65536)
        if number % 2:
            talk.send("client", "ACK")
    talk.close("server")
    talk.end_of_data("client")
    talk.close("client")
    return story.recording("a big transfer")


def napster() -> Recording:
    """Three peers tell a directory; x asks it, then a peer. A router is between all."""
    peers = {"peer-1": "10.0.3.2", "peer-2": "10.0.4.2", "peer-3": "10.0.5.2"}
    story = Story(x="10.0.1.2", directory="10.0.2.2", router="10.0.0.1", **peers)
    story.routers = ("router",)
    directory, x = story.thread("directory", 5), story.thread("x", 9)
    listening(directory, "0.0.0.0:7000")
    threads = {name: story.thread(name, 6) for name in peers}
    for number, thread in enumerate(threads.values()):
        listening(thread, "0.0.0.0:7001")
        talk = Dialogue(
            thread, directory, 41000 + number, client_fd=4, address="10.0.2.2", server_port=7000
        )
        _ask(talk, 40)
    _ask(Dialogue(x, directory, 42000, address="10.0.2.2", server_port=7000), 44)
    story.tick(40 * MS)
    talk = Dialogue(x, threads["peer-2"], 42001, address="10.0.4.2", server_port=7001)
    _ask(talk, 8000)
    story.segments = [
        replace(one, via=(Sighting("router", "net", one.time + 1000),)) for one in story.segments
    ]
    return story.recording("Napster")


def _ask(talk: Dialogue, reply: int) -> None:
    talk.connect()
    talk.accept()
    talk.say("client", 18)
    talk.say("server", reply)
    talk.close("server")
    talk.end_of_data("client")
    talk.close("client")
    talk.send("server", "ACK")


ALL: dict[str, Callable[[], Recording]] = {
    "exchange": exchange,
    "subordinates": lambda: exchange(2, subordinates=True),
    "four": lambda: exchange(4),
    "loopback": lambda: exchange(address="127.0.0.1"),
    "datagrams": lambda: datagrams(2),
    "unanswered": lambda: datagrams(1, answered=False),
    "refused": refused,
    "lost": lost,
    "big": big,
    "napster": napster,
}


@cache
def timeline(name: str) -> Timeline:
    """Return a timeline, the same one each time."""
    return Timeline.of(ALL[name]())
