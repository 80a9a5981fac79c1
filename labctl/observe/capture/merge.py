"""Writes the packets of all hosts to one pcapng file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from labctl.observe.capture import pcapng
from labctl.observe.capture.frames import Frame, frames, network
from labctl.observe.capture.link import Link, Way
from labctl.observe.capture.pcap import Capture
from labctl.sequence.events import Segment

_DIRECTIONS = {Way.IN: pcapng.INBOUND, Way.OUT: pcapng.OUTBOUND}
_APPLICATION = "labctl"


def merge(
    captures: Mapping[str, Capture],
    interfaces: Mapping[str, Mapping[int, str]],
    segments: Iterable[Segment] = (),
    most: int | None = None,
) -> Iterator[bytes]:
    """Yield the blocks of a pcapng file with all packets, in the order of time.

    Each host and network is an interface of it, `HOST/NETWORK`; each packet has a comment that
    names them and which way it went, and says of those of `segments` which did not arrive. Of
    more packets than `most` the first are written.
    """
    everything = list(islice(frames(captures), most))
    names = [_name(frame, interfaces) for frame in everything]
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    lost = {s.frames[0] for s in segments if s.sent and not s.received and s.frames}
    yield pcapng.section(_APPLICATION)
    for host, on in known:
        capture = captures[host]
        yield pcapng.interface(f"{host}/{on}", capture.link_type, capture.snaplen)
    for frame, name in zip(everything, names, strict=True):
        way = (frame.link or Link(0)).way
        comment = f"{name[0]}, {name[1]}: {way.value}"
        if frame.number in lost:
            comment += ", not seen to arrive"
        record = frame.record
        yield pcapng.packet(
            known[name],
            record.time,
            record.data,
            record.length,
            comment,
            _DIRECTIONS.get(way, 0),
        )


def _name(frame: Frame, interfaces: Mapping[str, Mapping[int, str]]) -> tuple[str, str]:
    link = frame.link or Link(0)
    return frame.host, network(interfaces.get(frame.host, {}), link)
