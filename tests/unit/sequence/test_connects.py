"""What became of each connect: errno, packets, time; as values, as a table, as JSON."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from labctl.sequence.connects import AGAIN, Connect, connects
from labctl.sequence.timeline import Timeline
from labctl.show.connects import as_json, packets, result, table
from tests.unit.sequence.build import TICK, Story, Thread
from tests.unit.sequence.exchanges import CLIENT, SERVER, Dialogue, exchange, listening, tcp_socket

TARGET = f"{SERVER}:80"
OWN = f"{CLIENT}:40000"


def story() -> tuple[Story, Thread]:
    made = Story(client=CLIENT, server=SERVER)
    return made, made.thread("client", 100)


def the_one(made: Story) -> Connect:
    (found,) = connects(Timeline.of(made.recording()))
    return found


def test_success_is_the_handshake_and_nothing_after_it() -> None:
    (found,) = connects(Timeline.of(exchange()))
    assert (found.first, found.errno, found.known) == (None, None, True)
    assert found.packets == (("SYN", 1), ("SYN-ACK", 1), ("ACK", 1))
    assert (found.host, found.server, str(found.target)) == ("client", "server", TARGET)
    assert found.connection == 1
    assert found.seconds == pytest.approx(7 * TICK / 1e9, rel=0.5)


def test_refused() -> None:
    made, client = story()
    tcp_socket(client)
    call = client.begin("connect", 3, address=TARGET)
    made.segment(OWN, TARGET, "SYN", 0)
    made.segment(TARGET, OWN, "RST-ACK", 0, 1)
    client.end(call, errno="ECONNREFUSED")
    found = the_one(made)
    assert (found.errno, found.packets) == ("ECONNREFUSED", (("SYN", 1), ("RST", 1)))


def test_repeated_syns_are_counted_apart() -> None:
    made, client = story()
    tcp_socket(client)
    call = client.begin("connect", 3, address=TARGET)
    for number in range(3):
        made.segment(OWN, TARGET, "SYN", 0, lost=True, retransmission=number > 0)
    client.end(call, errno="ETIMEDOUT")
    found = the_one(made)
    assert found.packets == (("SYN", 1), (AGAIN, 2))
    assert packets(found) == "SYN, SYN again ×2"


def test_no_packet() -> None:
    made, client = story()
    tcp_socket(client)
    client.call("connect", 3, errno="EADDRNOTAVAIL", address=TARGET)
    found = the_one(made)
    assert (found.errno, found.packets, found.connection) == ("EADDRNOTAVAIL", (), 1)
    assert packets(found) == "none"
    (connection,) = Timeline.of(made.recording()).connections
    assert connection.outcome == "unsent"


def test_what_was_no_attempt_is_told_too() -> None:
    made, client = story()
    tcp_socket(client)
    client.call("connect", 3, errno="EINVAL", address=TARGET)
    found = the_one(made)
    assert (found.errno, found.connection, found.packets) == ("EINVAL", None, ())


def test_the_icmp_of_the_hosts_own_kernel() -> None:
    made, client = story()
    tcp_socket(client)
    call = client.begin("connect", 3, address=TARGET)
    made.segment(
        f"{CLIENT}:0",
        f"{CLIENT}:0",
        protocol="icmp",
        host="client",
        about=f"host unreachable {TARGET} tcp",
    )
    client.end(call, errno="EHOSTUNREACH")
    assert the_one(made).packets == (("host-unreachable", 1),)


@pytest.mark.parametrize(
    ("error", "errno", "said"),
    [
        (0, None, "EINPROGRESS, then ok"),
        ("ECONNREFUSED", "ECONNREFUSED", "EINPROGRESS, then ECONNREFUSED"),
    ],
)
def test_nonblocking_it_is_over_when_the_program_learns_of_it(
    error: int | str, errno: str | None, said: str
) -> None:
    made, client = story()
    tcp_socket(client)
    begun = client.call("connect", 3, errno="EINPROGRESS", address=TARGET)
    made.segment(OWN, TARGET, "SYN", 0)
    made.segment(TARGET, OWN, "RST-ACK" if error else "SYN-ACK", 0, 1)
    polled = client.call("poll", result=1, descriptors={"3": ["POLLOUT"]})
    client.call("getsockopt", 3, level="SOL_SOCKET", option="SO_ERROR", value=error)
    client.call("close", 3)
    found = the_one(made)
    assert (found.first, found.errno, found.known) == ("EINPROGRESS", errno, True)
    assert (found.start, found.end) == (begun.start, polled.end)
    assert result(found) == said


@pytest.mark.parametrize(
    ("answer", "errno"),
    [("SYN-ACK", None), ("RST-ACK", "ECONNREFUSED"), ("network", "ENETUNREACH"), ("", "ETIMEDOUT")],
)
def test_nonblocking_where_the_tracer_does_not_see_so_error(answer: str, errno: str | None) -> None:
    made, client = story()
    tcp_socket(client)
    client.call("connect", 3, errno="EINPROGRESS", address=TARGET)
    made.segment(OWN, TARGET, "SYN", 0, lost=not answer)
    if answer == "network":
        about = f"network unreachable {TARGET} tcp"
        made.segment(f"{SERVER}:0", f"{CLIENT}:0", protocol="icmp", about=about)
    elif answer:
        made.segment(TARGET, OWN, answer, 0, 1)
    client.call("getsockopt", 3, level="SOL_SOCKET", option="SO_ERROR")
    client.call("close", 3)
    found = the_one(made)
    assert (found.errno, found.known) == (errno, True)


@pytest.mark.parametrize(("errno", "told"), [(None, None), ("EISCONN", None), ("ETIMEDOUT",) * 2])
def test_nonblocking_told_by_another_connect(errno: str | None, told: str | None) -> None:
    made, client = story()
    tcp_socket(client)
    client.call("connect", 3, errno="EINPROGRESS", address=TARGET)
    client.call("connect", 3, errno="EALREADY", address=TARGET)
    last = client.call("connect", 3, errno=errno, address=TARGET)
    found = the_one(made)
    assert (found.errno, found.known, found.end) == (told, True, last.end)


def test_nonblocking_and_not_waited_for() -> None:
    made, client = story()
    tcp_socket(client)
    client.call("connect", 3, errno="EINPROGRESS", address=TARGET)
    made.segment(OWN, TARGET, "SYN", 0, lost=True)
    client.call("poll", result=0, descriptors={"3": ["POLLOUT"]}, timeout_ms=500)
    closed = client.call("close", 3)
    found = the_one(made)
    assert (found.known, found.end) == (False, closed.start)
    assert result(found) == "EINPROGRESS, not waited for"


def test_a_connect_that_never_returned() -> None:
    made, client = story()
    tcp_socket(client)
    client.begin("connect", 3, address=TARGET)
    found = the_one(made)
    assert (found.seconds, found.known) == (None, False)
    assert result(found) == "never returned"


def test_other_sockets_are_left_out() -> None:
    made, client = story()
    client.call("socket", result=3, family="AF_UNIX", type="SOCK_STREAM")
    client.call("connect", 3, errno="ENOENT", path="/run/x")
    client.call("socket", result=4, family="AF_INET", type="SOCK_DGRAM")
    client.call("connect", 4, address=TARGET)
    assert connects(Timeline.of(made.recording())) == []


def test_the_table_and_json_say_the_same() -> None:
    made, client = story()
    server = made.thread("server", 10)
    listening(server)
    Dialogue(client, server, client_fd=5).connect()
    tcp_socket(client, 6)
    client.call("connect", 6, errno="ENETUNREACH", address="192.0.2.1:80")
    found = connects(Timeline.of(made.recording()))
    console = Console(file=StringIO(), width=120)
    console.print(table(found))
    assert isinstance(console.file, StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert lines[0] == ["CLIENT", "SERVER", "CONNECT", "TIME", "PACKETS"]
    assert lines[1][:5] == ["1", "client", "server", TARGET, "ok"]
    assert lines[1][-3:] == ["SYN,", "SYN-ACK,", "ACK"]
    assert [lines[2][i] for i in (0, 1, 2, 3, -1)] == [
        *("2", "client", "192.0.2.1:80", "ENETUNREACH", "none"),
    ]
    told = json.loads(json.dumps(as_json(found[0])))
    assert told["packets"] == [{"what": w, "count": 1} for w in ("SYN", "SYN-ACK", "ACK")]
    assert (told["server"], told["target"], told["errno"]) == ("server", TARGET, None)
    assert set(told) == {
        *("connection", "client", "pid", "server", "target", "first", "errno", "known", "start"),
        *("seconds", "packets"),
    }
