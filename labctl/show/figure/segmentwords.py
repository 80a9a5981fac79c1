"""What a figure writes on a segment: `SYN+ACK`, `data 17 B`, `data × 640, 41 MB`."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.sequence.events import Segment
from labctl.show.figure.units import plain, shorten, size

_LONGEST_ABOUT = 48


def kind_of(segment: Segment) -> str:
    """Return what a segment is drawn as: `syn`, `ack`, `data`, `fin`, `rst`, `udp` or `icmp`."""
    if segment.protocol != "tcp":
        return "icmp" if segment.protocol == "icmp" else "udp"
    for flag in ("RST", "SYN"):
        if flag in segment.flags:
            return flag.lower()
    if segment.length:
        return "data"
    return "fin" if "FIN" in segment.flags else "ack"


def label(segment: Segment) -> str:
    """Return the label of one segment, as textbooks write it."""
    if segment.protocol == "icmp":
        return "ICMP " + shorten(plain(segment.about), _LONGEST_ABOUT) if segment.about else "ICMP"
    if segment.protocol != "tcp":
        return f"datagram {size(segment.length)}"
    parts = []
    kind = kind_of(segment)
    if kind == "syn":
        parts.append("SYN+ACK" if "ACK" in segment.flags else "SYN")
    elif kind == "rst":
        parts.append("RST")
    if segment.length:
        parts.append(f"data {size(segment.length)}")
    if "FIN" in segment.flags:
        parts.append("FIN")
    parts = parts or ["ACK"]
    if closes_window(segment):
        parts.append("window 0")
    return ", ".join(parts) + (" again" if segment.retransmission else "")


def closes_window(segment: Segment) -> bool:
    """Tell whether a segment says that its sender's receive buffer has no room."""
    return segment.window == 0 and kind_of(segment) in ("data", "ack")


def numbers(segment: Segment) -> str:
    """Return the sequence numbers, relative ones: `seq 1 ack 18`."""
    told = []
    if segment.seq is not None:
        told.append(f"seq {segment.seq}")
    if segment.ack is not None and "ACK" in segment.flags:
        told.append(f"ack {segment.ack}")
    return " ".join(told)


def fold_label(segments: Sequence[Segment]) -> str:
    """Return the label of several segments of one kind and direction: `data × 640, 41 MB`.

    A segment that offloading made of several counts as these; their number is an estimate.
    """
    kind = kind_of(segments[0])
    names = {"data": "data", "udp": "datagram", "icmp": "ICMP"}
    name = names.get(kind, "") or label(segments[0])
    count = sum(max(segment.joined, 1) for segment in segments)
    total = sum(segment.length for segment in segments)
    again = " again" if kind == "data" and segments[0].retransmission else ""
    about = "≈" if any(segment.joined > 1 for segment in segments) else ""
    return f"{name}{again} × {about}{count:,}" + (f", {size(total)}" if total else "")
