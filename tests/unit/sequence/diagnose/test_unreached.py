"""Connects that reached nobody, and those tried again on the same socket."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sequence.build import Story, Thread
from tests.unit.sequence.diagnose.found import SECOND, found, only, pair, rules
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, listening, tcp_socket

FAR = "192.0.2.1:80"
OWN = f"{CLIENT}:40000"


def routed() -> tuple[Story, Thread]:
    story = Story(client=CLIENT, r1="10.0.0.9")
    story.routers = ("r1",)
    return story, story.thread("client", 100)


def attempt(
    client: Thread, errno: str, said: str = "", syns: int = 1, ns: int = 0, target: str = FAR
) -> None:
    """A socket and a connect, with SYNs that end at the router, and what ICMP says of them."""
    story = client.story
    tcp_socket(client)
    call = client.begin("connect", 3, address=target)
    for number in range(syns):
        again = number > 0
        story.segment(OWN, target, "SYN", 0, lost=True, via=["r1"], retransmission=again)
        story.tick(SECOND if syns > 1 else 0)
    if said:
        about = f"{said} {target} tcp"
        story.segment("10.0.0.9:0", f"{CLIENT}:0", protocol="icmp", about=about)
    story.tick(ns)
    client.end(call, errno=errno)
    client.call("close", 3)


@pytest.mark.parametrize(
    ("errno", "said"),
    [
        ("ENETUNREACH", "network unreachable"),
        ("EHOSTUNREACH", "host unreachable"),
        ("EHOSTUNREACH", "prohibited"),
    ],
)
def test_a_router_says_no(errno: str, said: str) -> None:
    story, client = routed()
    attempt(client, errno, said)
    diagnosis = only(story, "unreachable")
    assert f"failed with {errno} after " in diagnosis.sentence
    assert diagnosis.sentence.endswith(f": r1 answered its SYN with ICMP {said}.")
    assert "on that router" in diagnosis.advice
    assert (diagnosis.level, diagnosis.host, diagnosis.connections) == ("error", "client", (1,))


@pytest.mark.parametrize(
    ("errno", "ns", "why"),
    [
        ("ENETUNREACH", 0, "it has no route to that address"),
        ("EHOSTUNREACH", 0, "its own routing table says that the address is not to be reached"),
        ("EACCES", 0, "its own routing table (a route `prohibit`) or its firewall forbids it"),
        ("EPERM", 0, "its own routing table (a route `prohibit`) or its firewall forbids it"),
        (
            "EHOSTUNREACH",
            3 * SECOND,
            "for 3.00 s nobody on its network answered the question (ARP) for the hardware address"
            " of the next hop",
        ),
    ],
)
def test_no_syn_left(errno: str, ns: int, why: str) -> None:
    story, client = routed()
    attempt(client, errno, syns=0, ns=ns)
    assert only(story, "unreachable").sentence.endswith(f": no SYN left: {why}.")


def test_silence() -> None:
    story, client = routed()
    attempt(client, "ETIMEDOUT", syns=4)
    diagnosis = only(story, "no-answer")
    assert diagnosis.sentence.endswith(
        "failed with ETIMEDOUT after 4.00 s: 4 SYNs left, nothing came back (r1 was the last to"
        " see one); then the kernel of client gave up."
    )
    assert len(diagnosis.events) == 5


def test_a_program_that_does_not_wait_for_the_silence_to_end() -> None:
    story, client = routed()
    tcp_socket(client)
    client.call("connect", 3, errno="EINPROGRESS", address=FAR)
    story.segment(OWN, FAR, "SYN", 0, lost=True)
    client.call("close", 3)
    assert only(story, "no-answer").sentence.endswith(
        ", failed: 1 SYN left, nothing came back; the program did not wait for the outcome."
    )


def test_a_host_that_gets_the_syn_has_its_own_reason() -> None:
    story, client, server = pair()
    listening(server)
    attempt_at_server: dict[str, Any] = {"address": f"{SERVER}:80"}
    tcp_socket(client)
    call = client.begin("connect", 3, **attempt_at_server)
    story.segment(OWN, f"{SERVER}:80", "SYN", 0)
    client.end(call, errno="ETIMEDOUT")
    assert "no-answer" not in rules(story)


def test_what_connects_is_reached() -> None:
    story, client, server = pair()
    listening(server)
    talk = Dialogue(client, server)
    talk.connect()
    talk.accept()
    assert not rules(story)


def test_connect_again_on_the_same_socket() -> None:
    story, client = routed()
    tcp_socket(client)
    for _ in range(3):
        call = client.begin("connect", 3, address=f"{SERVER}:80")
        client.end(call, errno="ECONNREFUSED")
    client.call("close", 3)
    diagnosis = only(story, "connect-again")
    assert diagnosis.sentence.startswith(
        "process 100 of client called connect again on descriptor 3 at "
    )
    assert "on which connect had failed with ECONNREFUSED" in diagnosis.sentence
    assert (diagnosis.level, len(diagnosis.events)) == ("warning", 3)


@pytest.mark.parametrize("second", ["EALREADY", None, "EISCONN"])
def test_to_ask_how_a_connect_went_out_is_no_second_try(second: str | None) -> None:
    story, client = routed()
    tcp_socket(client)
    client.call("connect", 3, errno="EINPROGRESS", address=f"{SERVER}:80")
    client.call("connect", 3, errno=second, address=f"{SERVER}:80")
    assert "connect-again" not in {one.rule for one in found(story)}


def test_a_new_socket_for_each_try_is_right() -> None:
    story, client = routed()
    for _ in range(3):
        tcp_socket(client)
        client.call("connect", 3, errno="ECONNREFUSED", address=f"{SERVER}:80")
        client.call("close", 3)
    assert "connect-again" not in {one.rule for one in found(story)}
