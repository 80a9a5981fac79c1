"""The lab snmp, checked on its hosts: a counter, who it counts, and a request byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from labctl.engine.up import Reporter
from labctl.observe.capture import frames, packet
from labctl.observe.capture.link import Way
from labctl.observe.collect import Observation
from labctl.observe.dissect import Message, messages
from labctl.observe.tracers import NONE
from labctl.observe.wishes import Wishes
from labctl.play.observed import attached, finish, run_observed
from labctl.play.seen import SeenTimeline
from labctl.play.under_test import LabUnderTest

Host = Callable[[str], Any]
NAME = "1.3.6.1.2.1.7.1.0"
HEX_NAME = "06082b06010201070100"


def observed(lab: LabUnderTest, host: str, *argv: str) -> tuple[str, Observation]:
    """Run a command while all packets are captured; return its output, and what was seen."""
    wishes = Wishes(NONE, 65535, hosts=("client", "server"))
    with attached(lab.engine, lab.live, wishes, Reporter()) as observer:
        done = run_observed(lab.engine, lab.live, observer, host, argv, 60)
        seen = finish(lab.live, observer, "a test")
    assert done.code == 0, done.stderr
    return done.stdout.decode(), seen


def arrived(seen: Observation, port: int | None = None) -> int:
    """Return how many UDP datagrams came to the server, also from itself; to one port, or any."""
    found = 0
    for frame in frames({"server": seen.captures["server"]}):
        if frame.link is None or frame.link.way is not Way.IN:
            continue
        one = packet.decode(frame.record.data, frame.link.at, frame.record.length)
        if one is not None and one.protocol == "udp" and port in (None, one.dport):
            found += 1
    return found


def counted(lab: LabUnderTest) -> dict[str, int]:
    """Return what the server's kernel has counted. To look is no datagram."""
    done = lab.exec("server", "grep", "^Udp:", "/proc/net/snmp")
    names, values = (line.split()[1:] for line in done.stdout.decode().splitlines())
    return dict(zip(names, map(int, values), strict=True))


def rejects_request(found: list[Message]) -> list[str]:
    """Return what is wrong with the requests of a program that is to read udpInDatagrams.0."""
    asked = [one for one in found if one.target.endswith(":161")]
    wrong = [fault for one in asked for fault in (one.problem, *one.faults) if fault]
    if not asked:
        wrong.append("no request to port 161 was sent")
    for one in asked:
        names = [f.data.hex() for top in one.fields for _, f in top.walk() if f.name == "name"]
        if not wrong and names != [HEX_NAME]:
            wrong.append(f"message {one.number} does not ask for {NAME} alone")
    return wrong


def rejects_account(report: dict[str, int], seen: Observation) -> list[str]:
    """Return what is wrong with a program's account of what udpInDatagrams has counted."""
    wrong = []
    came, asked = arrived(seen, 9000), arrived(seen, 161)
    if report["datagrams"] != came:
        wrong.append(
            f"it says {report['datagrams']} datagrams reached port 9000, but {came} did: the"
            f" counter has grown by its requests to port 161 as well, of which {asked} arrived"
        )
    grew = report["after"] - report["before"]
    told = report["datagrams"] + report["requests"] + report["others"]
    if grew != told:
        wrong.append(f"the counter has grown by {grew}, it accounts for {told}")
    return wrong


def test_agent_and_server_are_programs_of_one_host_and_no_root(host: Host) -> None:
    server = host("server")
    assert server.socket("udp://0.0.0.0:161").is_listening
    assert server.socket("udp://0.0.0.0:9000").is_listening
    for name in ("snmpd", "udp_server"):
        assert len(server.process.filter(user="student", comm=name)) == 1
    status = server.check_output("cat /proc/$(pgrep -x snmpd)/status")
    assert "CapEff:\t0000000000000000" in status


def test_the_request_on_the_wire_is_that_of_the_textbook(lab: LabUnderTest) -> None:
    told, seen = observed(lab, "client", "snmp_get", "server", "--json")
    report = json.loads(told)
    request, response = messages(frames(seen.captures), 161)
    assert rejects_request([request]) == []
    fields = [field for _, field in request.fields[0].walk()]
    assert [field.tag.hex() for field in fields] == (
        "30 02 04 a0 02 02 02 30 30 06 05".split()  # noqa: SIM905  as it is written there
    )
    assert fields[-2].data.hex() == HEX_NAME
    assert fields[-1].data == bytes([0x05, 0x00])
    assert request.fields[0].data.hex() == report["request"]
    assert response.fields[0].data.hex() == report["response"]
    assert (response.answers, response.good) == (1, True)
    value = list(response.fields[0].walk())[-1][1]
    assert (value.kind, int(value.meaning)) == ("Counter32", report["value"])


def test_every_datagram_is_accounted_for(lab: LabUnderTest) -> None:
    told, seen = observed(lab, "client", "udp_count", "server", "--count", "10", "--json")
    report = json.loads(told)
    assert (report["datagrams"], report["others"]) == (10, 0)
    assert rejects_account(report, seen) == []
    # Nothing came after the last request: so the kernel's own number is the agent's.
    assert counted(lab)["InDatagrams"] == report["after"]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("asks_with_value", "where NULL (05 00) holds the place: who asks has no value yet"),
        ("splits_oid", "for 1.3 the first two numbers share one byte, 40 × 1 + 3 = 43"),
    ],
)
def test_a_program_that_asks_wrongly_is_rejected(
    lab: LabUnderTest, program: str, said: str
) -> None:
    _, seen = observed(lab, "client", "python3", f"/opt/broken/{program}.py", "server")
    (wrong,) = rejects_request(messages(frames(seen.captures), 161))
    assert said in wrong


def test_a_reader_that_forgets_its_own_requests_is_rejected(lab: LabUnderTest) -> None:
    told, seen = observed(lab, "client", "python3", "/opt/broken/counts_itself.py", "server")
    (wrong,) = rejects_account(json.loads(told), seen)
    assert "but 10 did: the counter has grown by its requests to port 161 as well" in wrong


def test_looking_up_a_name_counts_too(lab: LabUnderTest) -> None:
    before = counted(lab)
    # The engine's name server is on the host's own loopback: question and answer are counted.
    told, seen = observed(lab, "server", "getent", "hosts", "r1")
    assert told.split()[0] == lab.address("r1", "net-server")
    grew = counted(lab)["InDatagrams"] - before["InDatagrams"]
    assert grew == arrived(seen) >= 2


def test_datagrams_to_a_port_that_nobody_has_count_elsewhere(lab: LabUnderTest) -> None:
    before = counted(lab)
    words = ("--port", "9001", "--tries", "5", "--timeout", "0.1")
    assert lab.exec("client", "udp_client", "server", *words).code == 1
    after = counted(lab)
    assert after["NoPorts"] - before["NoPorts"] == 5
    assert after["InDatagrams"] == before["InDatagrams"]


def test_what_nobody_has_received_yet_does_not_count(lab: LabUnderTest) -> None:
    assert lab.exec("server", "pkill", "-STOP", "-x", "udp_server").code == 0
    try:
        before = counted(lab)["InDatagrams"]
        words = ("echo", "x", "--tries", "5", "--timeout", "0.1")
        assert lab.exec("client", "udp_client", "server", *words).code == 1
        queued = lab.exec("server", "ss", "-Huan", "sport = 9000").stdout.split()
        assert int(queued[1]) > 0
        assert counted(lab)["InDatagrams"] == before
    finally:
        assert lab.exec("server", "pkill", "-CONT", "-x", "udp_server").code == 0
    grown = f"until grep -q '^Udp: {before + 5} ' /proc/net/snmp; do :; done"
    assert lab.exec("server", "timeout", "10", "sh", "-c", grown).code == 0


def test_what_the_agent_has_not(lab: LabUnderTest) -> None:
    for version, said in (("1", b"error-status 2 noSuchName"), ("2c", b"noSuchInstance")):
        done = lab.exec("client", "snmp_get", "server", NAME[:-2], "--version", version)
        assert (done.code, done.stderr.count(b"\n")) == (1, 1)
        assert said in done.stderr
    done = lab.exec("client", "snmp_get", "server", "--community", "secret", "--timeout", "0.3")
    assert done.code == 1
    assert b"no response to 3 requests" in done.stderr


@pytest.mark.scenario("get")
def test_one_datagram_each_way(timeline: SeenTimeline) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.parametrize("scenario", ["count", "nobody-listens", "unknown"])
def test_the_scenarios(lab: LabUnderTest, scenario: str) -> None:
    result = lab.run(scenario)
    assert result.passed, result.failed_step
