"""The lab socket, checked on its hosts: two transports, and what each option changes."""

from __future__ import annotations

import json
import re
from math import ceil
from statistics import median
from typing import Any

import pytest

from labctl.observe.queues.flows import flows
from labctl.observe.queues.model import levels
from labctl.play.results import ScenarioResult
from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest
from labctl.sequence.connection import Connection
from labctl.sequence.events import Segment

OVER_UDP = {
    "client": ["socket", "send", "recv", "close"],
    "server": ["socket", "bind", "recv", "send"],
    "wire": ["client>datagram", "server>datagram"],
    "never": {"client": ["listen", "accept", "bind"]},
    "protocol": "udp",
    "port": 9300,
    "connections": 1,
}


def played(lab: LabUnderTest, scenario: str) -> ScenarioResult:
    result = lab.run(scenario)
    assert result.passed, result.failed_step
    return result


def report(result: ScenarioResult, step: str) -> dict[str, Any]:
    """Return what an exchange_client has reported as JSON."""
    found: dict[str, Any] = json.loads(result.step(step).stdout)
    return found


def of_client(timeline: SeenTimeline, protocol: str = "tcp") -> list[Connection]:
    """Return the client's connections to the server, in the order of time."""
    return [
        one
        for one in timeline.connections
        if one.protocol == protocol and (one.client.host, one.server.host) == ("client", "server")
    ]


def data(connection: Connection, host: str) -> list[Segment]:
    """Return the segments with data that an end sent."""
    side = connection.side(host)
    assert side is not None
    return [
        one
        for one in connection.segments
        if one.source == side.endpoint and one.length and not one.retransmission
    ]


def syn(connection: Connection, host: str) -> Segment:
    """Return the SYN, or SYN-ACK, of an end."""
    side = connection.side(host)
    assert side is not None
    (one,) = [
        one
        for one in connection.segments
        if "SYN" in one.flags and one.source == side.endpoint and not one.retransmission
    ]
    return one


@pytest.mark.scenario("exchange")
def test_the_same_exchange_over_tcp_and_over_udp(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    assert timeline.matches(OVER_UDP)
    (tcp,), (udp,) = of_client(timeline), of_client(timeline, "udp")
    assert len(udp.segments) == 2
    assert sum(one.joined for one in tcp.segments) >= 8  # handshake, request, reply, FIN, FIN
    for connection in (tcp, udp):
        assert [one.length for one in data(connection, "server")] == [1000]
        for side in connection.sides:
            assert side.socket is not None
            assert side.endpoint is not None


def test_there_is_a_socket_at_each_end_also_without_a_connection(lab: LabUnderTest) -> None:
    for flag, listening in ("-t", "LISTEN"), ("-u", "UNCONN"):
        done = lab.exec("server", "ss", f"-Hna{flag[1]}", "sport = 9300")
        assert done.stdout.decode().split()[0] == listening


@pytest.mark.scenario("mss")
def test_the_largest_segment_is_told_with_the_syn_and_kept(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)
    before, after = of_client(timeline)
    assert syn(after, "client").options["mss"] == 500
    told = syn(before, "client").options["mss"]
    assert isinstance(told, int)
    assert told > 1000
    # 12 bytes of each segment are the time stamps (RFC 7323).
    for connection, most in ((before, told - 12), (after, 488)):
        sent = data(connection, "server")
        assert sum(one.length for one in sent) == 20_000
        assert max(one.length / one.joined for one in sent) <= most
        assert sum(one.joined for one in sent) >= ceil(20_000 / most)


def test_the_client_s_kernel_counts_more_and_smaller_segments(lab: LabUnderTest) -> None:
    result = played(lab, "mss")
    before, after = report(result, "before"), report(result, "after")
    for one in (before, after):
        wanted = ceil(20_000 / one["options"]["TCP_MAXSEG"])
        assert wanted <= one["segments"] <= wanted + 3
    assert after["options"]["TCP_MAXSEG"] == 488 < before["options"]["TCP_MAXSEG"]
    assert "TCP_MAXSEG was 536, asked 500, is 500" in after["choices"]


@pytest.mark.scenario("late-mss")
def test_a_program_that_chooses_too_late_is_rejected(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    timeline.failed.clear()  # as it must be
    assert not verdict
    assert "setsockopt" in str(verdict)
    assert "send was due, but setsockopt came" in str(verdict)
    (late,) = of_client(timeline)
    assert syn(late, "client").options["mss"] != 500
    assert max(one.length / one.joined for one in data(late, "server")) > 500


def waits(connection: Connection) -> list[tuple[bool, int]]:
    """Of each request's second part: whether the first was acknowledged when it was sent, and
    how many nanoseconds after the first that was."""
    sent = data(connection, "client")
    acks = [one for one in connection.segments if one.target == connection.client.endpoint]
    found = []
    for head, body in zip(sent[::2], sent[1::2], strict=True):
        assert head.seq is not None
        assert (head.length, body.length) == (5, 3)
        acked = any(
            one.received is not None
            and one.received.time <= body.time
            and (one.ack or 0) >= head.seq + head.length
            for one in acks
        )
        found.append((acked, body.time - head.time))
    return found


@pytest.mark.scenario("nodelay")
def test_nagle_holds_a_second_small_segment_back_until_the_first_is_acknowledged(
    timeline: SeenTimeline,
) -> None:
    assert timeline.matches(timeline.declared)
    before, after = (waits(one) for one in of_client(timeline))
    assert len(before) == len(after) == 10
    assert all(acked for acked, _ in before)
    assert not all(acked for acked, _ in after)
    # The server's kernel delays its acknowledgement by 40 ms, once it has learnt that a reply
    # follows each request (TCP_DELACK_MIN of the kernel).
    assert max(time for _, time in before) > 30_000_000


def test_the_delay_is_gone_with_nodelay(lab: LabUnderTest) -> None:
    result = played(lab, "nodelay")
    before, after = report(result, "before"), report(result, "after")
    assert (before["options"]["TCP_NODELAY"], after["options"]["TCP_NODELAY"]) == (0, 1)
    # Of ten exchanges the first are quick; a machine under load makes others longer only.
    assert sum(before["seconds"]) > 0.2
    assert min(after["seconds"]) < median(before["seconds"])


def taken(result: ScenarioResult, step: str) -> int:
    """Return after how many bytes there was no room for more."""
    found = re.search(r"full after (\d+) bytes", result.step(step).stdout)
    assert found is not None
    return int(found[1])


def test_a_larger_send_buffer_takes_more_while_nobody_reads(lab: LabUnderTest) -> None:
    result, sampled = lab.queues("sndbuf")
    assert result.passed, result.failed_step
    small, before, large = (taken(result, step) for step in ("small", "before", "large"))
    assert small < before < large
    assert large > 1_000_000
    assert "SO_SNDBUF was 16384, asked 10000, is 20000" in result.step("small").stdout
    found = {
        levels(one.sender)[-1].send_buffer: one.highest_send
        for one in flows(sampled)
        if one.sender is not None and one.sender.host == "client" and not one.quiet
    }
    # What the kernel holds back: all but what crossed the wire and waits at the receiver.
    assert {20_000, 2_000_000} < set(found)
    assert found[20_000] <= small
    assert found[2_000_000] > 1_000_000


@pytest.mark.scenario("sndbuf")
def test_each_sender_is_told_that_there_is_no_room(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("rcvbuf")
def test_no_more_bytes_cross_the_wire_than_the_receive_buffer_takes(
    timeline: SeenTimeline,
) -> None:
    assert timeline.matches(timeline.declared)
    before, after = of_client(timeline)
    windows = [syn(one, "server").window for one in (before, after)]
    crossed = [sum(s.length for s in data(one, "client")) for one in (before, after)]
    assert windows[0] is not None
    assert windows[1] is not None
    assert windows[1] <= 20_000 < windows[0]
    assert 0 < crossed[1] <= 20_000 < crossed[0]


def test_the_kernel_doubles_what_it_is_asked_for_within_limits(lab: LabUnderTest) -> None:
    result = played(lab, "limits")
    least, most = report(result, "least")["options"], report(result, "most")["options"]
    # linux/net/sock.h: SOCK_MIN_SNDBUF, SOCK_MIN_RCVBUF; 2048 and some overhead, not 2 * 1.
    assert 2048 < least["SO_RCVBUF"] < least["SO_SNDBUF"] < 10_000
    told = dict(re.findall(r"net\.core\.(\w+) = (\d+)", result.step("sysctl").stdout))
    assert most["SO_SNDBUF"] == 2 * int(told["wmem_max"])
    assert most["SO_RCVBUF"] == 2 * int(told["rmem_max"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mss", "40000"], "TCP_MAXSEG 40000: Invalid argument"),
        (["--udp", "--mss", "500"], "TCP_MAXSEG is an option of TCP"),
        (["--udp", "--size", "70000"], "bytes instead of 70000"),
        (["--udp", "--request", "70000"], "Message too long"),
        (["--size", "99000000"], "ERR at most 16000000 bytes"),
        (["--port", "9301"], "Connection refused"),
    ],
)
def test_the_ways_to_choose_wrongly_are_one_line_each(
    lab: LabUnderTest, words: list[str], said: str
) -> None:
    done = lab.exec("client", "exchange_client", "server", *words)
    assert (done.code, done.stderr.count(b"\n")) == (1, 1), done.stderr
    assert said in done.stderr.decode()
