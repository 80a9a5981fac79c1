"""Finds the datagrams of SNMP among captured packets, and takes each apart once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from labctl.observe.capture import packet
from labctl.observe.capture.frames import Frame
from labctl.observe.capture.ip import text
from labctl.observe.dissect import snmp
from labctl.observe.dissect.headers import ip_header, udp_header
from labctl.observe.dissect.model import Message, Part

_UDP_HEADER = 8
_Asked = dict[tuple[str, str, int], int]


def messages(
    frames: Iterable[Frame], port: int, hosts: Mapping[str, str] | None = None
) -> list[Message]:
    """Return the datagrams to or from a UDP port, in the order of time.

    One that several hosts saw is one, with the headers as the first of them saw it. `hosts`
    maps addresses to names. Nothing is raised, whatever the packets are.
    """
    found: dict[bytes, tuple[Frame, packet.Packet, list[str]]] = {}
    for frame in frames:
        decoded = _decode(frame)
        if decoded is None or port not in (decoded.sport, decoded.dport):
            continue
        # The same packet again at the same host is another one: UDP may double a datagram.
        place = f"{frame.host} ({frame.link.way.value})" if frame.link else frame.host
        known = found.get(decoded.key)
        if known is None or place in known[2]:
            key = decoded.key if known is None else decoded.key + frame.number.to_bytes(8, "big")
            found[key] = (frame, decoded, [place])
        else:
            known[2].append(place)
    return list(_told(found.values(), hosts or {}))


def _decode(frame: Frame) -> packet.Packet | None:
    if frame.link is None:
        return None
    decoded = packet.decode(frame.record.data, frame.link.at, frame.record.length)
    return decoded if decoded is not None and decoded.protocol == "udp" else None


def _told(
    found: Iterable[tuple[Frame, packet.Packet, list[str]]], hosts: Mapping[str, str]
) -> Iterator[Message]:
    asked: _Asked = {}
    for number, (frame, decoded, seen) in enumerate(found, start=1):
        message, read = _message(number, frame, decoded, seen, hosts)
        request_id = message.request_id
        if request_id is not None and read.response:
            earlier = asked.get((message.target, message.source, request_id))
            message = replace(message, answers=earlier)
        elif request_id is not None:
            asked.setdefault((message.source, message.target, request_id), number)
        yield message


def _message(
    number: int, frame: Frame, decoded: packet.Packet, seen: list[str], hosts: Mapping[str, str]
) -> tuple[Message, snmp.Snmp]:
    assert frame.link is not None
    data, ip = frame.record.data, decoded.ip
    payload = data[ip.at + _UDP_HEADER : min(ip.end, ip.at + _UDP_HEADER + decoded.length)]
    read = snmp.read(payload)
    own = data[frame.link.at :]
    at = ip.at - frame.link.at
    whole = len(payload) == decoded.length and not ip.fragment
    parts = (
        ip_header(own, 0, at),
        udp_header(own, at, whole),
        Part("SNMP message", "RFC 1157, X.690", at + _UDP_HEADER, len(payload), read.fields),
    )
    message = Message(
        number,
        frame.record.time,
        _end(ip.source, decoded.sport, hosts),
        _end(ip.target, decoded.dport, hosts),
        tuple(seen),
        parts,
        read.title,
        _problem(read, decoded, len(payload)),
        read.faults,
        read.request_id,
    )
    return message, read


def _problem(read: snmp.Snmp, decoded: packet.Packet, kept: int) -> str | None:
    if kept == decoded.length:
        return read.problem
    if decoded.ip.fragment:
        return f"it came in fragments, of which the first has {kept} of {decoded.length} bytes"
    return f"only {kept} of its {decoded.length} bytes were captured: ask for a larger snaplen"


def _end(address: bytes, port: int, hosts: Mapping[str, str]) -> str:
    told = text(address)
    ip = f"[{told}]" if ":" in told else told
    return f"{hosts[told]} {ip}:{port}" if told in hosts else f"{ip}:{port}"
