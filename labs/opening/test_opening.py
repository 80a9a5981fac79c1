"""The lab opening, checked on its hosts: the backlog, and all that connect may return."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest
from labctl.sequence.connects import AGAIN, Connect, connects
from labctl.sequence.diagnose import diagnose

Host = Callable[[str], Any]


def counters(stdout: str) -> dict[str, int]:
    """Return what nstat printed, by the names of the kernel's counters."""
    return {name: int(value) for name, value in re.findall(r"^(Tcp\S+) +(\d+)", stdout, re.M)}


def test_only_the_servers_have_ports(host: Host) -> None:
    assert host("server").socket("tcp://0.0.0.0:7000").is_listening
    assert host("udp-server").socket("udp://0.0.0.0:9000").is_listening
    for name in ("client", "udp-server"):
        listening = host(name).check_output("ss -Htln").splitlines()
        assert not [line for line in listening if "127.0.0.11" not in line]


# listen and the backlog (A5)


@pytest.mark.scenario("backlog")
def test_who_waits_gets_through_once_the_server_accepts(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.scenario("backlog")
def test_the_kernel_completes_handshakes_before_accept_is_called(timeline: SeenTimeline) -> None:
    accepts = [c for c in timeline.calls if c.name.startswith("accept")]
    first = min(c.start for c in accepts if c.result is not None and not c.failed)
    early = [one for one in connects(timeline) if one.end is not None and one.end < first]
    assert len(early) == 3, "backlog + 1"
    for one in early:
        assert one.packets == (("SYN", 1), ("SYN-ACK", 1), ("ACK", 1))


@pytest.mark.scenario("backlog")
def test_the_syn_that_found_no_room_is_sent_again(timeline: SeenTimeline) -> None:
    (late,) = [one for one in connects(timeline) if dict(one.packets).get(AGAIN)]
    assert late.errno is None
    assert late.seconds is not None and late.seconds > 0.9
    (said,) = [one for one in diagnose(timeline) if one.rule == "backlog-overflow"]
    assert said.connections == (late.connection,)
    assert "3 connections waited for accept, one more than the backlog of 2" in said.sentence


def test_the_kernel_counts_what_it_drops_and_shows_the_queue(lab: LabUnderTest) -> None:
    result = lab.run("backlog")
    assert result.passed, result.failed_step
    before, dropped = (counters(result.step(name).stdout) for name in ("before", "dropped"))
    assert set(before) == {"TcpExtListenOverflows", "TcpExtListenDrops"}
    for name in before:
        assert dropped[name] - before[name] >= 1, name
    assert re.search(r"^LISTEN +3 +2 ", result.step("full").stdout, re.MULTILINE)
    assert re.search(r"^LISTEN +0 +2 ", result.step("after").stdout, re.MULTILINE)
    # All four are greeted; the fourth needed a second SYN, and so about a second more.
    assert result.step("three").stdout.count("this is server") == 3
    took = re.search(r"connected in (\d+\.\d+) s", result.step("fourth").stdout)
    assert took is not None and float(took[1]) > 0.9


def test_where_nobody_ever_accepts_connect_gives_up(lab: LabUnderTest) -> None:
    server = "hello_server --port 7030 --backlog 0 --late"
    lab.exec("server", "sh", "-c", f"{server} > /dev/null 2>&1 &")
    lab.exec("server", "timeout", "10", "sh", "-c", "until listening 7030; do :; done")
    lab.exec("client", "sh", "-c", "hello_client server:7030 > /dev/null 2>&1 &")
    full = "until ss -Hltn 'sport = 7030' | grep -q '^LISTEN *1 *0 '; do :; done"
    assert lab.exec("server", "timeout", "10", "sh", "-c", full).code == 0
    done = lab.exec("client", "connector", "server:7030", "--json")
    report = json.loads(done.stdout)
    assert (done.code, report["errno"]) == (1, "ETIMEDOUT")
    assert report["seconds"] > 2
    assert lab.exec("server", "pkill", "-f", "port 7030").code == 0


def test_no_backlog_is_larger_than_somaxconn(lab: LabUnderTest) -> None:
    result = lab.run("somaxconn")
    assert result.passed, result.failed_step
    limit = int(result.step("limit").stdout)
    assert limit < 1000
    assert re.search(rf"^LISTEN +0 +{limit} ", result.step("backlog").stdout, re.MULTILINE)


@pytest.mark.scenario("udp")
def test_a_udp_server_calls_neither_listen_nor_accept(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


# connect (A7)


@pytest.mark.scenario("connect", tracer="strace")
def test_every_connect_ends_as_the_lab_says(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


REFUSED = ["SYN", "RST"]
HANDSHAKE = ["SYN", "SYN-ACK", "ACK"]
TABLE: list[tuple[int, str, str | None, list[str], float]] = [
    # port, what a pattern says of connect, errno, packets, seconds at least
    (7000, "connect", None, HANDSHAKE, 0),
    (7001, "connect=ECONNREFUSED", "ECONNREFUSED", REFUSED, 0),
    (7002, "connect=EHOSTUNREACH", "EHOSTUNREACH", ["host-unreachable"], 2),
    (7003, "connect=ENETUNREACH", "ENETUNREACH", ["SYN", "network-unreachable"], 0),
    (7004, "connect=EHOSTUNREACH", "EHOSTUNREACH", ["SYN", "host-unreachable"], 0),
    (7005, "connect=EHOSTUNREACH", "EHOSTUNREACH", ["SYN", "prohibited"], 0),
    (7006, "connect=ETIMEDOUT", "ETIMEDOUT", ["SYN"], 6),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[2]}")
@pytest.mark.scenario("connect", tracer="strace")
def test_errno_packets_and_time_of_each(
    timeline: SeenTimeline, row: tuple[int, str, str | None, list[str], float]
) -> None:
    port, wanted, errno, packets, least = row
    assert timeline.matches({"client": ["socket", wanted, "close"], "port": port})
    one = of_client(timeline, port)[0]
    assert (one.first, one.errno, one.known) == (errno, errno, True)
    # Linux sends the SYN again after a second where it only heard of an error by the way.
    assert [what for what, _ in one.packets if what != AGAIN] == packets
    # How long at most depends on what else the machine does.
    assert one.seconds is not None and one.seconds >= least


def of_client(timeline: SeenTimeline, port: int) -> list[Connect]:
    """Return the client's connects to a port, in the order of time."""
    return [
        one
        for one in connects(timeline)
        if one.host == "client" and one.target is not None and one.target.port == port
    ]


@pytest.mark.scenario("connect", tracer="strace")
def test_the_syn_to_a_silent_host_is_repeated(timeline: SeenTimeline, lab: LabUnderTest) -> None:
    (one,) = of_client(timeline, 7006)
    retries = int(lab.exec("client", "cat", "/proc/sys/net/ipv4/tcp_syn_retries").stdout)
    assert retries == 2
    # Since Linux 6.5 up to so many more come first, a second apart; before, none.
    name = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts"
    linear = lab.exec("client", "sh", "-c", f"cat {name} 2> /dev/null || echo 0").stdout
    assert retries <= dict(one.packets)[AGAIN] <= retries + int(linear)
    (connection,) = [c for c in timeline.connections if c.id == one.connection]
    times = [segment.time for segment in connection.segments]
    assert all(later - earlier > 900_000_000 for earlier, later in pairwise(times))
    assert connection.outcome == "unanswered"


@pytest.mark.scenario("connect", tracer="strace")
def test_who_has_no_route_of_its_own_sends_nothing(timeline: SeenTimeline) -> None:
    own = [one for one in connects(timeline) if one.host == "r1"]
    errnos = ["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"]
    assert [one.errno for one in own] == errnos
    assert all(one.packets == () for one in own)


@pytest.mark.scenario("connect", tracer="strace")
def test_a_connect_that_does_not_wait_is_asked_later(timeline: SeenTimeline) -> None:
    learn = ["socket", "connect=EINPROGRESS", "poll", "getsockopt", "close"]
    assert timeline.matches({"client": learn, "port": 7008})
    assert timeline.matches({"client": ["socket", "connect=ECONNREFUSED", "close"], "port": 7008})
    give_up = ["socket", "connect=EINPROGRESS", "poll=0", "close"]
    assert timeline.matches({"client": give_up, "port": 7009})
    (refused,), (silent,) = of_client(timeline, 7008), of_client(timeline, 7009)
    success = of_client(timeline, 7000)[1]
    assert (success.first, success.errno, success.known) == ("EINPROGRESS", None, True)
    assert (refused.first, refused.errno) == ("EINPROGRESS", "ECONNREFUSED")
    assert (silent.first, silent.known) == ("EINPROGRESS", False)
    assert silent.seconds is not None and silent.seconds > 0.4
    assert [what for what, _ in success.packets] == HANDSHAKE


@pytest.mark.scenario("connect", tracer="strace")
def test_labctl_says_what_stood_in_the_way(timeline: SeenTimeline) -> None:
    said = " ".join(one.sentence for one in diagnose(timeline))
    for words in (
        "nobody on its network answered the question (ARP)",
        "r1 answered its SYN with ICMP network unreachable",
        "r1 answered its SYN with ICMP host unreachable",
        "r1 answered its SYN with ICMP prohibited",
        "nothing came back (r1 was the last to see one); then the kernel of client gave up",
        "it has no route to that address",
        "its own routing table (a route `prohibit`) or its firewall forbids it",
    ):
        assert words in said, words


# programs that are wrong


@pytest.mark.scenario("wrong-servers")
def test_broken_servers_are_rejected(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    assert (bool(verdict), verdict.failing) == (False, 2)
    said = " ".join(str(verdict).split())
    assert "listen is missing: bind gives the socket a port but leaves it closed" in said
    assert "bind was called after listen: the kernel had already given the socket an" in said
    rules = {one.rule for one in diagnose(timeline) if one.level == "error"}
    assert rules == {"bound-already", "refused-not-listening", "refused-other-port"}


@pytest.mark.scenario("wrong-servers")
def test_a_udp_server_that_listens_is_rejected(timeline: SeenTimeline) -> None:
    pattern = {
        "udp-server": ["socket", "bind", "recv", "send"],
        "never": {"udp-server": ["listen", "accept"]},
        "port": 9001,
    }
    verdict = timeline.matches(pattern)
    assert not verdict
    said = " ".join(str(verdict).split())
    assert "listen was called on a socket of UDP: there are no connections to wait for" in said
    assert "udp-server should never call listen, but did" in said


@pytest.mark.scenario("wrong-clients")
def test_broken_clients_are_rejected(timeline: SeenTimeline) -> None:
    verdict = timeline.matches(timeline.declared)
    assert not verdict
    said = " ".join(str(verdict).split())
    assert "sendto was called although connect had failed: client did not look at what" in said
    assert "client did not close the socket after connect had failed" in said
    (again,) = [one for one in diagnose(timeline) if one.rule == "connect-again"]
    assert "called connect again on descriptor 3" in again.sentence
