"""Patterns on a lab that was up before: what was missed is not judged, all else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labctl.sequence.events import Endpoint, OpenSocket
from labctl.sequence.pattern import Verdict
from labctl.sequence.pattern.elements import read_calls
from labctl.sequence.pattern.missed import without_first
from labctl.sequence.pattern.syntax import text
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.build import Story
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue
from tests.unit.sequence.pattern.made import calls

PATTERN: dict[str, Any] = {
    "server": ["socket", "bind", "listen", "accept", "recv+", "send+", "close"],
    "client": ["socket", "connect", "send+", "recv+", "close"],
    "wire": ["SYN", "SYN-ACK", "ACK", "data+", "FIN", "FIN"],
    "never": {"server": ["connect"]},
    "before": [
        ["server.listen.return", "client.connect.call"],
        ["client.SYN.sent", "server.accept.return"],
    ],
    "connections": 1,
}
LISTENER = OpenSocket(
    *("server", 10, 3, 7, "AF_INET", "SOCK_STREAM", "LISTEN"), Endpoint("0.0.0.0", 80), None
)
UNJUDGED = "not judged: the first calls of server from before the recording"


def held(host: str, pid: int, fd: int, own: str, other: str) -> OpenSocket:
    ends = Endpoint.parse(own), Endpoint.parse(other)
    return OpenSocket(host, pid, fd, 8, "AF_INET", "SOCK_STREAM", "ESTAB", *ends)


def judged(
    story: Story, pattern: dict[str, Any] = PATTERN, partial: tuple[str, ...] = ("client", "server")
) -> Verdict:
    recording = story.recording()
    hosts = (replace(host, whole=host.name not in partial) for host in recording.hosts)
    return Timeline.of(replace(recording, hosts=tuple(hosts))).matches(pattern)


@pytest.fixture
def story() -> Story:
    """A server that listened before, and a client that is seen whole."""
    story = Story(client=CLIENT, server=SERVER)
    story.open_sockets.append(LISTENER)
    return story


@pytest.fixture
def talk(story: Story) -> Dialogue:
    return Dialogue(story.thread("client"), story.thread("server", 10))


def download(talk: Dialogue, answers: bool = True) -> None:
    talk.connect()
    talk.accept()
    talk.say("client", 10)
    if answers:
        talk.say("server", 20)
    talk.close("server")
    talk.close("client")


def test_the_rest_is_as_the_pattern_says(story: Story, talk: Dialogue) -> None:
    download(talk)
    verdict = judged(story)
    assert verdict, str(verdict)
    assert (verdict.missed, verdict.earlier, verdict.connections) == (("server",), 0, 1)
    assert str(verdict) == f"as the pattern says: 1 connection\n{UNJUDGED}"


def test_the_rest_is_judged(story: Story, talk: Dialogue) -> None:
    download(talk, answers=False)
    verdict = judged(story, {"server": PATTERN["server"]})
    (failure,) = verdict.failures
    assert failure.difference is not None
    assert failure.difference.elements == ("accept", "recv+", "send+", "close")
    assert (failure.difference.due, failure.difference.real) == ("send", "close")
    assert "first calls of server are missing" not in failure.meaning
    assert str(verdict).splitlines()[1] == UNJUDGED


def test_where_all_was_seen_nothing_is_forgiven(story: Story, talk: Dialogue) -> None:
    download(talk)
    verdict = judged(story, partial=("client",))
    assert {failure.subject for failure in verdict.failures} == {"server", "before"}
    assert (verdict.missed, verdict.unjudged) == ((), "")


def test_another_order_of_what_was_seen_is_not_forgiven(story: Story, talk: Dialogue) -> None:
    download(talk)
    verdict = judged(story, PATTERN | {"before": [["server.accept.return", "client.SYN.sent"]]})
    assert [failure.subject for failure in verdict.failures] == ["before"]
    verdict = judged(story, PATTERN | {"before": [["server.shutdown.call", "client.close.call"]]})
    assert "server.shutdown.call did not happen" in str(verdict)


def test_a_server_that_never_accepts_is_told_so(story: Story, talk: Dialogue) -> None:
    talk.connect()
    verdict = judged(story, {"server": PATTERN["server"]})
    (failure,) = verdict.failures
    assert failure.difference is not None
    assert failure.difference.due == "accept"
    assert "missing" not in failure.meaning


def test_before_a_connection_that_nobody_accepts_listen_may_have_been(
    story: Story, talk: Dialogue
) -> None:
    talk.connect()
    wanted = {"before": PATTERN["before"][:1], "connections": 1}
    assert judged(story, wanted)
    assert not judged(story, wanted, partial=())


def test_a_server_that_nobody_called_is_judged_by_the_rest(story: Story, talk: Dialogue) -> None:
    verdict = judged(story, {"server": PATTERN["server"]})
    wanted = [f.difference.due for f in verdict.failures if f.difference]
    assert wanted == ["accept"]


def test_a_connection_from_before_is_not_judged(story: Story, talk: Dialogue) -> None:
    ends = talk.ends["client"], talk.ends["server"]
    story.open_sockets += (
        held("client", 100, 3, *ends),
        held("server", 10, 4, *reversed(ends)),
    )
    talk.say("client", 5)
    verdict = judged(story)
    assert [f.meaning for f in verdict.failures if f.subject == "connections"] == [
        "There was no new connection, only 1 connection from before."
    ]
    assert verdict.earlier == 1
    other = Dialogue(story.thread("client", 101), story.thread("server", 10), 40001, server_fd=5)
    download(other)
    verdict = judged(story)
    assert verdict, str(verdict)
    assert verdict.unjudged == (
        "not judged: the first calls of server and 1 connection from before the recording"
    )


def test_nor_is_one_that_was_made_while_only_packets_were_recorded(
    story: Story, talk: Dialogue
) -> None:
    for flags in ("SYN", "SYN-ACK", "ACK"):
        talk.send("server" if flags == "SYN-ACK" else "client", flags)
    talk.say("client", 5)
    other = Dialogue(story.thread("client", 101), story.thread("server", 10), 40001, server_fd=5)
    download(other)
    verdict = judged(story)
    assert verdict, str(verdict)
    assert (verdict.connections, verdict.earlier) == (1, 1)


def test_nor_is_one_that_a_host_ended_before_it_was_attached_to(
    story: Story, talk: Dialogue
) -> None:
    talk.connect()
    talk.send("server", "FIN-ACK")
    talk.close("client")
    waiting = story.thread("server", 10).begin("accept", 3)
    other = Dialogue(story.thread("client", 101), story.thread("server", 10), 40001)
    other.connect()
    story.thread("server", 10).end(waiting, 4, address=other.ends["client"])
    verdict = judged(story, {"server": ["socket", "bind", "listen", "accept"]})
    assert verdict, str(verdict)
    assert (verdict.connections, verdict.earlier) == (1, 1)


def test_what_somebody_else_was_seen_to_open_is_judged(story: Story) -> None:
    """The client is on no host that is observed."""
    story.segment("10.9.9.9:5", f"{SERVER}:80", "SYN", 0)
    story.segment(f"{SERVER}:80", "10.9.9.9:5", "SYN-ACK", 0, 1)
    story.segment("10.9.9.9:6", f"{SERVER}:80", "ACK", 1, 1)
    verdict = judged(story, {"server": PATTERN["server"]})
    assert (verdict.connections, verdict.earlier) == (1, 1)
    assert not verdict


def test_a_program_that_came_later_is_judged_whole(story: Story) -> None:
    """Another program on the same host makes its own socket, in the wrong way."""
    story.open_sockets[:] = [replace(LISTENER, pid=9, local=Endpoint("0.0.0.0", 99))]
    server = story.thread("server", 10)
    server.call("socket", result=3, family="AF_INET", type="SOCK_STREAM")
    server.call("listen", 3, backlog=5)
    download(Dialogue(story.thread("client"), server))
    verdict = judged(story, {"server": PATTERN["server"]})
    (failure,) = verdict.failures
    assert failure.difference is not None
    assert failure.difference.due == "bind"


@pytest.mark.parametrize(
    ("told", "seen", "left"),
    [
        ("socket, bind, listen, accept, recv+", "accept", "accept, recv+"),
        ("socket, (bind listen accept), close", "", "accept, close"),
        ("socket, bind|connect, send", "", "connect?, send"),
        ("socket, (setsockopt bind)?, (recv send)+", "", "(recv send)+"),
        ("socket, setsockopt, listen, accept", "setsockopt", "setsockopt*, accept"),
        ("accept|connect, close", "", "accept|connect, close"),
        ("socket, bind", "", ""),
    ],
)
def test_what_is_left_of_elements(told: str, seen: str, left: str) -> None:
    elements = tuple(map(read_calls, told.split(", ")))
    found = without_first(elements, calls("server", seen) if seen else ())
    assert ", ".join(map(text, found)) == left
