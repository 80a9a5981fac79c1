"""The agent counts the packets of a file that tcpdump still writes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .made import LAN, LO, WAN, Wire, pcap, udp

AGENT = Path(__file__).parents[4] / "images/observer/agent"


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The agent's module, imported as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    yield importlib.import_module("counting")
    del sys.modules["counting"]


def content() -> bytes:
    wire = Wire()
    for interface in (LAN, LO, WAN, LAN):
        wire.see("r1", udp("10.0.0.1:1", "10.0.0.2:2", b"x" * interface), interface=interface)
    return pcap(wire.captures()["r1"].records)


def test_packets_count_once_they_are_all_there(counting: Any, tmp_path: Path) -> None:
    file = tmp_path / "packets.pcap"
    counts = counting.Counts(file)
    counts.update()
    assert counts.packets == {}
    whole = content()
    totals = []
    for size in range(0, len(whole) + 1, 7):
        file.write_bytes(whole[:size])
        counts.update()
        totals.append(counts.packets.total())
    assert totals == sorted(totals)
    file.write_bytes(whole)
    counts.update()
    assert counts.packets == {LAN: 2, LO: 1, WAN: 1}
