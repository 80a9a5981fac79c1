"""ICMP errors (RFC 792; RFC 1812, 5.2.7; RFC 4443), and the packets that they are about."""

from __future__ import annotations

from labctl.observe.capture import ip
from labctl.observe.capture.packet import Packet
from labctl.sequence.events import Endpoint

_V4 = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "network unreachable: unknown",
    (3, 7): "host unreachable: unknown",
    (3, 8): "host unreachable: isolated",
    (3, 9): "prohibited, to the network",
    (3, 10): "prohibited, to the host",
    (3, 11): "network unreachable for this type of service",
    (3, 12): "host unreachable for this type of service",
    (3, 13): "prohibited",
    (3, 14): "prohibited: host precedence",
    (3, 15): "prohibited: precedence cutoff",
    (4, 0): "source quench",
    (11, 0): "time exceeded",
    (11, 1): "time exceeded in reassembly",
}
_V6 = {
    (1, 0): "network unreachable",
    (1, 1): "prohibited",
    (1, 2): "host unreachable: beyond scope",
    (1, 3): "host unreachable",
    (1, 4): "port unreachable",
    (1, 5): "prohibited by the source policy",
    (1, 6): "network unreachable: rejected",
    (2, 0): "packet too big",
    (3, 0): "time exceeded",
    (3, 1): "time exceeded in reassembly",
}
_ANY_CODE = {
    (4, 3): "unreachable",
    (4, 5): "redirect",
    (4, 11): "time exceeded",
    (4, 12): "parameter problem",
    (6, 1): "unreachable",
    (6, 2): "packet too big",
    (6, 3): "time exceeded",
    (6, 4): "parameter problem",
}
"""By the version of IP and the type: of errors whose code has no words of its own."""

_PROTOCOLS = {ip.ICMP: "icmp", ip.TCP: "tcp", ip.UDP: "udp", ip.ICMPV6: "icmp"}
_QUOTED = 4
"""Where in the data of an error the packet that it quotes begins, in bytes."""


def about(packet: Packet) -> str:
    """Return what an error says, and of which packet: `port unreachable 10.0.0.1:9 udp`.

    Empty for what is no error.
    """
    version, words = (4, _V4) if packet.ip.protocol == ip.ICMP else (6, _V6)
    said = words.get(packet.kind) or _ANY_CODE.get((version, packet.kind[0]))
    if said is None:
        return ""
    return " ".join((said, *_quoted(packet.data)))


def _quoted(data: bytes) -> tuple[str, ...]:
    """Return where a quoted packet went, and its protocol, as far as they can be read."""
    header = ip.decode(data, _QUOTED, 1 << 20)
    if header is None:
        return ()
    target = ip.text(header.target)
    if header.protocol in (ip.TCP, ip.UDP) and not header.offset and header.end - header.at >= 4:
        port = int.from_bytes(data[header.at + 2 : header.at + 4], "big")
        target = str(Endpoint(target, port))
    return target, _PROTOCOLS.get(header.protocol, f"protocol-{header.protocol}")
