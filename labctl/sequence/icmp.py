"""ICMP errors, given to what they are about (RFC 792; RFC 4443, section 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labctl.sequence.events import Endpoint, Segment


class Quoted(NamedTuple):
    """The packet that an ICMP error quotes: where it went, and its protocol."""

    protocol: str
    target: Endpoint


def quoted(segment: Segment) -> Quoted | None:
    """Return which packet an ICMP error is about; None where it doesn't say."""
    words = segment.about.split()
    if segment.protocol != "icmp" or len(words) < 2:
        return None
    try:
        return Quoted(words[-1], Endpoint.parse(words[-2]))
    except ValueError:
        return None


def unreachable(segment: Segment) -> bool:
    """Tell whether an error says that packets do not get there, not only that one did not."""
    return "unreachable" in segment.about or "prohibited" in segment.about


def errors(segments: Iterable[Segment], protocol: str) -> Iterator[tuple[Segment, Segment]]:
    """Yield each ICMP error about a packet of a protocol, and that packet.

    `segments` are in the order of time. Which packet it was is not told but for where it went:
    it is taken to be the last one to there, from the host that the error went to, that no
    other error is about.
    """
    sent: dict[tuple[str, Endpoint], list[Segment]] = defaultdict(list)
    for segment in segments:
        if segment.protocol == protocol:
            sent[segment.source.address, segment.target].append(segment)
            continue
        about = quoted(segment)
        if about is not None and about.protocol == protocol:
            candidates = sent[segment.target.address, about.target]
            if candidates:
                yield segment, candidates[-1]
            if len(candidates) > 1:
                candidates.pop()
