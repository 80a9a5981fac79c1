"""The packets of all hosts in one order, numbered as in the merged capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from labctl.observe.capture.link import LINK_TYPES, Link
from labctl.observe.capture.pcap import Capture, Record

SENTINEL = b"labctl-sentinel"
"""How the data of a datagram begins that the agent sends to itself, to know what is written."""

_DISCARD = b"\x00\x09"


class Frame(NamedTuple):
    """A packet as one host saw it; `number` counts from 1. `link` is None where it has no IP."""

    number: int
    host: str
    record: Record
    link: Link | None


def frames(captures: Mapping[str, Capture]) -> Iterator[Frame]:
    """Yield the packets of all hosts in the order of time, without the agents' own."""
    everything = [
        (record, host, link)
        for host, capture in captures.items()
        for record, link in _links(capture)
        if not _is_sentinel(record.data, link)
    ]
    everything.sort(key=lambda seen: seen[0].time)
    for number, (record, host, link) in enumerate(everything, start=1):
        yield Frame(number, host, record, link)


def only(capture: Capture, interfaces: Mapping[int, str], wanted: str) -> Capture:
    """Return a capture with the packets of one network only."""
    records = [
        record
        for record, link in _links(capture)
        if link is not None and network(interfaces, link) == wanted
    ]
    return replace(capture, records=records)


def _links(capture: Capture) -> Iterator[tuple[Record, Link | None]]:
    read = LINK_TYPES.get(capture.link_type)
    for record in capture.records:
        yield record, read(record.data) if read else None


def _is_sentinel(data: bytes, link: Link | None) -> bool:
    """Tell whether a packet is an agent's datagram, or an ICMP error that quotes one."""
    at = data.find(SENTINEL)
    # The port it goes to is six bytes before its data (RFC 768).
    return at >= 0 and link is not None and link.loopback and data[at - 6 : at - 4] == _DISCARD


def network(interfaces: Mapping[int, str], link: Link) -> str:
    """Return the network of an interface of a host's; what is gone meanwhile has its number."""
    if link.loopback:
        return "lo"
    known = interfaces.get(link.interface)
    if known is None and not link.interface:  # the link layer does not tell
        others = [name for name in interfaces.values() if name != "lo"]
        known = others[0] if len(others) == 1 else None
    return known or f"interface {link.interface}"
