"""The lab close, checked on its hosts: which state each end is in, read from the kernels."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from labctl.engine.up import Reporter
from labctl.observe.sockets.model import KernelSocket, Snapshot
from labctl.observe.wishes import Wishes
from labctl.play.observed import attached, finish, run_observed
from labctl.play.seen import SeenTimeline
from labctl.play.sockets import Looker, looking
from labctl.play.under_test import LabUnderTest
from labctl.sequence.timeline import Timeline

Host = Callable[[str], Any]
JUDGED = ("client-first", "server-first", "half-close", "unread", "linger-zero", "linger")
PATIENCE = 60.0
"""In seconds; only what goes wrong needs it, and a machine with much else to do."""
TIME_WAIT_MS = 60_000
"""How long Linux keeps a TIME-WAIT, in ms: TCP_TIMEWAIT_LEN, which nothing changes."""


@pytest.fixture(scope="module")
def look(lab: LabUnderTest) -> Iterator[dict[str, Looker]]:
    """What looks at the sockets of each host."""
    with (
        looking(lab.engine, lab.host("client"), print) as client,
        looking(lab.engine, lab.host("server"), print) as server,
    ):
        yield {"client": client, "server": server}


def of_port(snapshot: Snapshot, port: int) -> list[KernelSocket]:
    """Return the connections, not the listeners, of which one end has a port."""
    return [
        one
        for one in snapshot.sockets
        if one.protocol == "tcp"
        and one.state != "LISTEN"
        and port in (one.local.port, one.remote.port)
    ]


def held(snapshot: Snapshot, one: KernelSocket) -> list[tuple[int, int]]:
    """Return the process and descriptor of each entry that stands for a socket."""
    return [
        (process.pid, descriptor.fd)
        for process in snapshot.processes
        for descriptor in process.descriptors
        if one.inode and descriptor.inode == one.inode
    ]


def until(looker: Looker, port: int, states: Sequence[str]) -> tuple[Snapshot, list[KernelSocket]]:
    """Look until the connections of a port are in these states; fail where they do not come."""
    deadline = time.monotonic() + PATIENCE
    while True:
        snapshot = looker.look()
        found = of_port(snapshot, port)
        if sorted(one.state for one in found) == sorted(states):
            return snapshot, found
        assert time.monotonic() < deadline, f"{port}: {[one.state for one in found]}"
        time.sleep(0.05)


def background(lab: LabUnderTest, host: str, command: str, ready: str) -> None:
    """Start a command that goes on; wait until another one succeeds on that host."""
    quiet = f"{command} > /tmp/said 2>&1 &"
    assert lab.exec(host, "sh", "-c", quiet).code == 0
    waiting = f"until {ready}; do sleep 0.05; done"
    assert lab.exec(host, "timeout", str(PATIENCE), "sh", "-c", waiting).code == 0


def served(lab: LabUnderTest, port: int, *options: str) -> None:
    """Start a close_server on a port."""
    words = " ".join(options)
    background(lab, "server", f"close_server --port {port} {words}", f"listening {port}")


def talk(lab: LabUnderTest, port: int, *options: str) -> dict[str, Any]:
    """Let the client talk; return its report."""
    words = ("close_client", "server", "--port", str(port), *options, "--json")
    done = lab.exec("client", *words)
    assert done.code == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def touch(lab: LabUnderTest, host: str, file: str) -> None:
    assert lab.exec(host, "touch", file).code == 0


def test_the_scenario_that_is_not_judged(lab: LabUnderTest) -> None:
    result = lab.run("forgotten")
    assert result.passed, result.failed_step


@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=pytest.mark.scenario(name)) for name in JUDGED]
)
def test_calls_and_segments_are_as_declared(timeline: SeenTimeline, scenario: str) -> None:
    assert timeline.matches(timeline.declared)


@pytest.mark.parametrize(
    ("port", "server", "way", "waits", "gone"),
    [(8101, "", "first", "client", "server"), (8102, "--first", "last", "server", "client")],
)
def test_who_closes_first_has_the_time_wait(
    lab: LabUnderTest,
    look: dict[str, Looker],
    port: int,
    server: str,
    way: str,
    waits: str,
    gone: str,
) -> None:
    served(lab, port, server)
    report = talk(lab, port, "--way", way)
    snapshot, (one,) = until(look[waits], port, ["TIME-WAIT"])
    until(look[gone], port, [])
    assert (one.inode, held(snapshot, one)) == (0, [])
    ends = {(one.local.address, one.local.port), (one.remote.address, one.remote.port)}
    assert ends == {(lab.address("server"), port), tuple(report["local"])}
    assert one.timer is not None
    assert (one.timer.kind, one.timer.ms <= TIME_WAIT_MS) == ("time-wait", True)
    later = look[waits].look()
    (again,) = of_port(later, port)
    assert again.timer is not None
    passed = (later.time - snapshot.time) / 1e6
    assert again.timer.ms <= one.timer.ms
    assert abs((one.timer.ms - again.timer.ms) - passed) < 2000


def test_the_descriptor_is_gone_though_the_kernel_keeps_the_connection(
    lab: LabUnderTest, look: dict[str, Looker]
) -> None:
    served(lab, 8103, "--until", "/tmp/go3")
    words = "close_client server --port 8103 --way first --stay /tmp/stop3"
    connected = "ss -Htan state established dport = 8103 | grep -q ."
    background(lab, "client", words, connected)
    before, (open_,) = until(look["client"], 8103, ["ESTABLISHED"])
    ((pid, fd),) = held(before, open_)
    touch(lab, "server", "/tmp/go3")
    after, (waiting,) = until(look["client"], 8103, ["TIME-WAIT"])
    assert waiting.key == open_.key
    assert waiting.inode == 0
    (process,) = (one for one in after.processes if one.pid == pid)
    assert fd not in {descriptor.fd for descriptor in process.descriptors}
    touch(lab, "client", "/tmp/stop3")


def test_after_a_half_close_the_server_still_answers(
    lab: LabUnderTest, look: dict[str, Looker]
) -> None:
    served(lab, 8104, "--until", "/tmp/go4")
    words = "close_client server --port 8104 --way half --timeout 600"
    background(lab, "client", words, "ss -Htan state fin-wait-2 dport = 8104 | grep -q .")
    there, (client,) = until(look["client"], 8104, ["FIN-WAIT-2"])
    here, (server,) = until(look["server"], 8104, ["CLOSE-WAIT"])
    # Shut down, not closed: the client's descriptor is there, and it waits in recv.
    assert len(held(there, client)) == len(held(here, server)) == 1
    touch(lab, "server", "/tmp/go4")
    until(look["client"], 8104, ["TIME-WAIT"])
    until(look["server"], 8104, [])
    all_came = "until grep -q 'received 9 bytes' /tmp/said; do sleep 0.05; done"
    assert lab.exec("client", "timeout", str(PATIENCE), "sh", "-c", all_came).code == 0


@pytest.mark.parametrize(
    ("port", "options"),
    [(8105, ("--way", "unread")), (8106, ("--way", "first", "--linger", "0"))],
)
def test_rst_leaves_no_time_wait_and_the_peer_is_told(
    lab: LabUnderTest, look: dict[str, Looker], port: int, options: tuple[str, ...]
) -> None:
    served(lab, port)
    talk(lab, port, *options)
    reset = "until grep -q 'lost: Connection reset by peer' /tmp/said; do sleep 0.05; done"
    assert lab.exec("server", "timeout", str(PATIENCE), "sh", "-c", reset).code == 0
    for host in ("client", "server"):
        until(look[host], port, [])


def test_close_with_linger_waits_until_the_time_is_over(
    lab: LabUnderTest, look: dict[str, Looker]
) -> None:
    served(lab, 8107, "--until", "/tmp/go7")
    at_once = talk(lab, 8107, "--way", "full")["seconds"]  # without: it does not wait
    waited = talk(lab, 8107, "--way", "full", "--linger", "3")["seconds"]
    assert at_once < 2.9 < waited
    # close has returned, and the kernel goes on: the data is still to be acknowledged.
    _, both = until(look["client"], 8107, ["FIN-WAIT-1", "FIN-WAIT-1"])
    assert all(one.inode == 0 and one.send_queue for one in both)


def test_close_with_linger_returns_when_all_is_acknowledged(
    lab: LabUnderTest, look: dict[str, Looker]
) -> None:
    served(lab, 8108, "--until", "/tmp/go8")
    words = "close_client server --port 8108 --way full --linger 600 --json"
    background(lab, "client", words, "ss -Htan state fin-wait-1 dport = 8108 | grep -q .")
    _, (one,) = until(look["client"], 8108, ["FIN-WAIT-1"])
    assert one.send_queue
    assert lab.exec("client", "cat", "/tmp/said").stdout == b""
    touch(lab, "server", "/tmp/go8")
    ended = "until grep -q seconds /tmp/said; do sleep 0.05; done"
    assert lab.exec("client", "timeout", str(PATIENCE), "sh", "-c", ended).code == 0
    assert json.loads(lab.exec("client", "cat", "/tmp/said").stdout)["seconds"] < 600


def observed(lab: LabUnderTest, *argv: str) -> Timeline:
    """Run a command on the client, observed; return what was seen."""
    with attached(lab.engine, lab.live, Wishes(), Reporter()) as observer:
        run_observed(lab.engine, lab.live, observer, "client", argv, 60)
        seen = finish(lab.live, observer, "a test")
    return Timeline.of(seen.recording)


def declared(lab: LabUnderTest, port: int) -> dict[str, Any]:
    """Return what is wanted where the client closes first, for a port."""
    wanted = lab.model.x.sequence_of("client-first")
    assert wanted is not None
    return {**wanted, "port": port}


def test_a_server_that_never_closes_is_rejected(lab: LabUnderTest, look: dict[str, Looker]) -> None:
    program = "python3 /opt/broken/never_closes.py 8109"
    background(lab, "server", program, "listening 8109")
    timeline = observed(lab, "close_client", "server", "--port", "8109", "--way", "first")
    verdict = timeline.matches(declared(lab, 8109))
    assert not verdict
    said = " ".join(" ".join(failure.meaning for failure in verdict.failures).split())
    assert "close is missing: the socket was still open at the end" in said, str(verdict)
    assert "Only one side sent FIN: the connection stayed half open" in said, str(verdict)
    snapshot, (left,) = until(look["server"], 8109, ["CLOSE-WAIT"])
    assert len(held(snapshot, left)) == 1
    for number in range(2, 5):
        talk(lab, 8109, "--way", "first")
        until(look["server"], 8109, ["CLOSE-WAIT"] * number)


def test_a_client_that_closes_with_data_unread_is_rejected(lab: LabUnderTest) -> None:
    program = ("python3", "/opt/broken/closes_unread.py", "server", "8080")
    verdict = observed(lab, *program).matches(declared(lab, 8080))
    assert not verdict
    said = " ".join(" ".join(failure.meaning for failure in verdict.failures).split())
    assert "client closed before it had received the answer" in said, str(verdict)
    assert "lies unread, is answered with RST" in said, str(verdict)


def test_the_ways_to_ask_wrongly_are_one_line_each(lab: LabUnderTest) -> None:
    done = lab.exec("client", "close_client", "server", "--port", "8199")
    assert (done.code, done.stderr.count(b"\n")) == (1, 1)
    assert b"refused" in done.stderr.lower()
    taken = lab.exec("server", "close_server", "--port", "8080")
    assert (taken.code, taken.stderr.count(b"\n")) == (1, 1)
    assert b"Address already in use" in taken.stderr
