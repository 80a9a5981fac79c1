"""Where packets are captured, and what is told of them at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.cli.capture import tell
from labctl.engine.live import LiveHost, LiveLab, State
from labctl.errors import MachineError, UsageError
from labctl.observe import capture
from labctl.observe.collect import Packets, networks_of
from labctl.play.capturing import Place, Summary, place
from tests.unit.observe.capture.made import FROM_US, LAN, LO, WAN, Wire, udp


def host(name: str, state: str = "running", **addresses: str) -> LiveHost:
    return LiveHost(name, "mylab", f"mylab-{name}", name, "image", state, state, addresses)


LAB = LiveLab(
    "mylab",
    "tcp",
    Path("compose.yaml"),
    State.READY,
    (
        host("client", lan="10.0.0.1"),
        host("r1", lan="10.0.0.9", wan="10.0.1.9"),
        host("server", "exited", wan="10.0.1.2"),
    ),
    {"lan": "10.0.0.0/24", "wan": "10.0.1.0/24", "empty": "10.0.2.0/24"},
)


def test_a_host() -> None:
    assert place(LAB, "client") == Place(LAB, ("client",))


def test_a_network_is_all_hosts_on_it_that_run() -> None:
    assert place(LAB, "lan") == Place(LAB, ("client", "r1"), "lan")
    assert place(LAB, "wan") == Place(LAB, ("r1",), "wan")


@pytest.mark.parametrize("told", ["server", "empty"])
def test_nothing_runs_there(told: str) -> None:
    with pytest.raises(MachineError, match=told):
        place(LAB, told)


def test_neither_a_host_nor_a_network() -> None:
    with pytest.raises(UsageError, match="no host or network cliend") as raised:
        place(LAB, "cliend")
    assert "client" in raised.value.hint


def test_interfaces_are_known_by_the_address_on_them() -> None:
    there = {1: ["127.0.0.1"], 5: ["10.0.1.9"], 6: ["fe80::1", "10.0.0.9"]}
    assert networks_of(LAB, "r1", there) == {1: "lo", 5: "wan", 6: "lan"}


def test_no_more_packets_than_wanted() -> None:
    wire = Wire()
    for _ in range(3):
        wire.send(udp("10.0.0.1:1", "10.0.0.2:2", b"x"))
    found = Packets(wire.captures(), wire.interfaces, most=3)
    assert [frame.host for frame in found.frames()] == ["client", "server", "client"]
    whole = Packets(wire.captures(), wire.interfaces)
    assert len(b"".join(found.pcapng())) < len(b"".join(whole.pcapng()))


def test_what_is_told_of_one_packet_and_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    for packets, size in ((0, 0), (1, 1), (1234, 56789)):
        tell(Summary(packets, size, {"client": packets}, ()), "x.pcapng", False, print)
    assert capsys.readouterr().out.splitlines() == [
        "0 packets, 0 bytes (client 0)",
        "1 packet, 1 byte (client 1)",
        "1,234 packets, 56,789 bytes (client 1,234)",
    ]


def test_the_packets_of_one_network() -> None:
    wire = Wire()
    for interface in (LAN, LO, WAN, LAN):
        wire.see("r1", udp("10.0.0.1:1", "10.0.0.2:2", b"x"), FROM_US, interface)
    (own,) = wire.captures().values()
    only = capture.only(own, wire.interfaces["r1"], "lan")
    assert only.records == [own.records[0], own.records[3]]
