"""Captures made by hand, for tests: packets on a wire, as tcpdump would have written them.

wire = Wire("client", "server")
wire.send(tcp("10.0.0.1:40000", "10.0.0.2:80", "S", seq=100))       # both see it
wire.send(tcp(...), lost=True)                                      # only who sent it does
joined = segments(wire.captures(), wire.interfaces)
"""

from __future__ import annotations

import struct
from collections import defaultdict
from ipaddress import ip_address

from labctl.observe.capture.link import SLL2
from labctl.observe.capture.pcap import Capture, Record
from labctl.sequence.events import Endpoint

START = 1_700_000_000_000_000_000
TICK = 1000
LO, LAN, WAN = 1, 7, 8
NETWORKS = {LO: "lo", LAN: "lan", WAN: "wan"}
TO_US, BROADCAST, TO_OTHER, FROM_US = 0, 1, 3, 4

_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}


def ip(
    source: str, target: str, protocol: int, payload: bytes, number: int = 0, fragment: int = 0
) -> bytes:
    """Return an IP packet; `fragment` is the field of IPv4 with its flags."""
    one, two = ip_address(source), ip_address(target)
    if one.version == 6:
        head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64)
    else:
        size = 20 + len(payload)
        head = struct.pack(
            ">BBHHHBBH", 0x45, 0, size & 0xFFFF if size < 65536 else 0, number, fragment, 64,
            protocol, 0,
        )  # fmt: skip
    return head + one.packed + two.packed + payload


def tcp(
    source: str,
    target: str,
    flags: str,
    seq: int = 0,
    ack: int = 0,
    data: bytes = b"",
    *,
    options: bytes = b"",
    window: int = 1000,
    number: int = 0,
) -> bytes:
    """Return a TCP segment in its IP packet; `flags` as tcpdump has them: `S.` is SYN-ACK."""
    one, two = Endpoint.parse(source), Endpoint.parse(target)
    bits = sum(_FLAGS[flag] for flag in flags)
    options += bytes(-len(options) % 4)
    words = (20 + len(options)) // 4 << 4
    numbers = (one.port, two.port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
    head = struct.pack(">HHIIBBHHH", *numbers, words, bits, window, 0, 0)
    return ip(one.address, two.address, 6, head + options + data, number)


def udp(source: str, target: str, data: bytes, number: int = 0) -> bytes:
    """Return a UDP datagram in its IP packet."""
    one, two = Endpoint.parse(source), Endpoint.parse(target)
    head = struct.pack(">HHHH", one.port, two.port, 8 + len(data), 0)
    return ip(one.address, two.address, 17, head + data, number)


def timestamps(value: int, echo: int = 0) -> bytes:
    """Return the option of RFC 7323, as Linux aligns it."""
    return struct.pack(">HBBII", 0x0101, 8, 10, value, echo)


def mss(size: int, scale: int | None = None) -> bytes:
    """Return what a SYN offers."""
    return struct.pack(">BBH", 2, 4, size) + (b"" if scale is None else bytes((1, 3, 3, scale)))


def sll2(packet: bytes, interface: int = LAN, kind: int = TO_US) -> bytes:
    """Return a packet with the link layer of `tcpdump -i any`."""
    protocol = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    arp = 772 if interface == LO else 1
    return struct.pack(">HHIHBB8x", protocol, 0, interface, arp, kind, 6) + packet


def pcap(records: list[Record], magic: bytes = b"\x4d\x3c\xb2\xa1", link_type: int = SLL2) -> bytes:
    """Return a pcap file; its magic tells the byte order and the unit of time."""
    order = "<" if magic[-1] == 0xA1 else ">"
    unit = 1 if 0x3C in magic else 1000
    content = [magic, struct.pack(order + "HHiIII", 2, 4, 0, 0, 262144, link_type)]
    for time, data, length in records:
        seconds, rest = divmod(time, 1_000_000_000)
        content += (struct.pack(order + "IIII", seconds, rest // unit, len(data), length), data)
    return b"".join(content)


class Wire:
    """What hosts see of packets; each look at a packet takes a microsecond."""

    def __init__(self, snaplen: int = 256) -> None:
        self.now = START
        self._snaplen = snaplen
        self._records: dict[str, list[Record]] = defaultdict(list)

    def see(self, host: str, packet: bytes, kind: int = TO_US, interface: int = LAN) -> None:
        """Let a host see a packet."""
        self.now += TICK
        frame = sll2(packet, interface, kind)
        self._records[host].append(Record(self.now, frame[: self._snaplen], len(frame)))

    def send(
        self, packet: bytes, sender: str = "client", receiver: str = "server", lost: bool = False
    ) -> None:
        """Let a packet go from one host to another on the network lan."""
        self.see(sender, packet, FROM_US)
        if not lost:
            self.see(receiver, packet)

    def captures(self) -> dict[str, Capture]:
        return {host: Capture(SLL2, self._snaplen, found) for host, found in self._records.items()}

    @property
    def interfaces(self) -> dict[str, dict[int, str]]:
        return dict.fromkeys(self._records, NETWORKS)
