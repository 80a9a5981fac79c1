"""Which calls count in a pattern, and as what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from labctl.sequence.pattern import Verdict, match
from labctl.sequence.verbs import FAMILIES, UNCOUNTED
from tests.unit.sequence.pattern.made import Told, connection


def judged(wanted: str, calls: str, outcome: str = "established", **more: Any) -> Verdict:
    """Judge the calls of a client whose host is asked to do `wanted`, words or elements."""
    pattern: Mapping[str, Any] = {"client": wanted.split(", "), "protocol": "tcp"}
    return match(pattern, Told(connection(client=calls, outcome=outcome, **more)))


@pytest.mark.parametrize(
    ("verb", "call"),
    [(verb, call) for verb, calls in FAMILIES.items() for call in calls if verb != "close"],
)
def test_a_verb_stands_for_each_call_of_its_family(verb: str, call: str) -> None:
    assert judged(f"socket, {verb}, close", f"socket {call} close")
    assert judged(f"socket, {call}, close", f"socket {call} close")
    other = "bind" if verb != "bind" else "listen"
    assert not judged(f"socket, {other}, {verb}, close", f"socket {call} close")


def test_a_call_that_is_named_is_meant_alone() -> None:
    assert judged("socket, sendfile+, close", "socket sendfile sendfile close")
    assert not judged("socket, sendfile+, close", "socket sendto close")
    assert judged("socket, recvfrom, read", "socket recvfrom read")


@pytest.mark.parametrize("verb", sorted(UNCOUNTED))
def test_calls_that_only_prepare_or_wait_count_only_where_named(verb: str) -> None:
    for call in FAMILIES[verb]:
        assert judged("socket, connect, close", f"socket {call} connect {call} close")
        assert judged(f"socket, {call}, connect, close", f"socket {call} connect close")
        assert not judged(f"socket, {call}, connect, close", "socket connect close")


@pytest.mark.parametrize("errno", ["EAGAIN", "EWOULDBLOCK", "EINTR", "ERESTARTSYS"])
def test_what_is_tried_again_is_no_step_of_its_own(errno: str) -> None:
    assert judged("socket, recv, close", f"socket recv={errno} recv=5 close")
    assert judged("socket, recv+, close", f"socket recv=5 recv={errno} recv=5 close")


def test_eagain_counts_where_it_is_named() -> None:
    assert judged("socket, recv=EAGAIN, recv, close", "socket recv=EAGAIN recv=5 close")
    assert judged("socket, recv=EWOULDBLOCK+, recv", "socket recv=EAGAIN recv=EAGAIN recv=5")
    assert not judged("socket, recv=EAGAIN, recv, close", "socket recv=5 close")
    # Another call's does not count because this one's is named.
    assert judged("socket, recv=EAGAIN, send", "socket send=EAGAIN recv=EAGAIN send=5")


def test_any_other_failure_is_a_step() -> None:
    assert not judged("socket, send, close", "socket send=EPIPE close")
    assert judged("socket, send=EPIPE, close", "socket send=EPIPE close")
    assert judged("socket, send=error, close", "socket send=EPIPE close")
    assert not judged("socket, send=error, close", "socket send=5 close")
    assert not judged("socket, send=ECONNRESET, close", "socket send=EPIPE close")


def test_results() -> None:
    assert judged("recv+, recv=0", "recv=3 recv=0")
    assert judged("recv+, recv=0", "recv=3 recv=7 recv=1 recv=0")
    assert not judged("recv+, recv=0", "recv=3 recv=7")
    assert judged("recv, recv=0, send=5", "recv=3 recv=0 send=5")
    assert judged("recv=ok, recv=0, send=ok", "recv=3 recv=0 send=0")
    assert not judged("recv=8192", "recv=100")
    assert not judged("recv=0, close", "recv=ECONNRESET close")


def test_recv_without_a_result_is_any_that_succeeded() -> None:
    assert judged("recv+, close", "recv=3 recv=0 close")
    assert not judged("recv, recv=0, close", "recv=3 close")


def test_a_call_that_never_returned_counts_only_where_it_is_named() -> None:
    assert judged("socket, recv", "socket recv=5 recv=blocked")
    assert judged("socket, recv, recv=blocked", "socket recv=5 recv=blocked")
    assert not judged("socket, recv, recv=blocked", "socket recv=5")
    assert not judged("socket, recv", "socket recv=blocked")


def test_a_close_that_leaves_another_descriptor_counts_only_where_it_is_named() -> None:
    assert judged("socket, close", "socket close=shared close")
    assert judged("socket, close=shared, close", "socket close=shared close")
    assert not judged("socket, close", "socket close=shared")


class TestConnectThatIsOnlyBegun:
    """Non-blocking: connect returns EINPROGRESS, and how it went out is told later."""

    def test_it_stands_for_the_whole(self) -> None:
        wanted = "socket, connect, send, close"
        assert judged(wanted, "socket connect=EINPROGRESS poll getsockopt send close")
        assert judged(wanted, "socket connect=EINPROGRESS connect=EALREADY connect send close")
        assert judged(wanted, "socket connect=EINPROGRESS connect=EISCONN send close")
        assert judged(wanted, "socket connect=EINTR connect=EISCONN send close")

    def test_it_fails_as_the_connection_does(self) -> None:
        calls = "socket connect=EINPROGRESS poll close"
        assert judged("socket, connect=ECONNREFUSED, close", calls, "refused")
        assert judged("socket, connect=EHOSTUNREACH, close", calls, "unreachable")
        assert judged("socket, connect=ETIMEDOUT, close", calls, "unanswered")
        assert not judged("socket, connect, close", calls, "refused")
        told = "socket connect=EINPROGRESS connect=ENETUNREACH close"
        assert judged("socket, connect=ENETUNREACH, close", told, "unreachable")

    def test_it_can_be_named_itself(self) -> None:
        calls = "socket connect=EINPROGRESS poll send close"
        assert judged("socket, connect=EINPROGRESS, poll, send, close", calls)
        assert not judged("socket, connect=EINPROGRESS, send", "socket connect send")
        again = "socket connect=EINPROGRESS connect=EALREADY connect send=5"
        assert judged("socket, connect=EINPROGRESS, connect, send", again)
        either = "socket, connect|(connect=EINPROGRESS connect?), send"
        assert judged(either, again) and judged(either, "socket connect send=5")

    def test_a_second_connect_is_a_step(self) -> None:
        assert not judged("socket, connect, send", "socket connect connect=EISCONN send=5")


def test_alternatives_and_optional_parts() -> None:
    wanted = "socket, connect, (send recv+)+|recv, shutdown?, close"
    for calls in (
        "socket connect send recv close",
        "socket connect send recv recv send recv shutdown close",
        "socket connect recv shutdown close",
    ):
        assert judged(wanted, calls), calls
    for calls in (
        "socket connect close",
        "socket connect send send recv close",
        "socket connect recv send close",
        "socket connect recv shutdown shutdown close",
    ):
        assert not judged(wanted, calls), calls


def test_bounds() -> None:
    assert judged("send{2,3}, close", "send=1 send=1 close")
    assert judged("send{2,3}, close", "send=1 send=1 send=1 close")
    assert not judged("send{2,3}, close", "send=1 close")
    assert not judged("send{2,3}, close", "send=1 send=1 send=1 send=1 close")
