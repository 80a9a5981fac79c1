"""What was seen of queues, in a line or two for each flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labctl.observe.queues.model import Span
from labctl.observe.queues.seen import Queues, Seen
from labctl.show.figure.units import duration
from labctl.show.queues.picture import MOST, flow_name


def lines(queues: Queues) -> Iterator[str]:
    """Yield what is to be said below a picture."""
    for one in queues.busy[:MOST]:
        yield flow_name(one)
        yield from (f"    {line}" for line in _of_flow(one, queues))
    more = len(queues.busy) - MOST
    if more > 0:
        yield f"{more} more flows are not drawn; --json has all"
    if not queues.busy:
        quiet = len(queues.flows)
        yield f"nothing waited in any queue ({quiet} flow{'' if quiet == 1 else 's'} seen)"
    for host in queues.sampled.hosts:
        if host.wrong:
            yield f"{host.host}: the queues were not seen to the end: {host.wrong}"
    yield looked(queues)


def looked(queues: Queues) -> str:
    """Return how closely it was looked, as nothing shorter than that is seen."""
    hosts = queues.sampled.hosts
    count = min((host.count for host in hosts), default=0)
    longest = max((host.longest for host in hosts), default=0)
    return (
        f"looked every {duration(round(queues.sampled.interval * 1e9))}, at least"
        f" {count:,} times at each host; the longest time between two looks was"
        f" {duration(longest)}"
    )


def _of_flow(one: Seen, queues: Queues) -> Iterator[str]:
    flow = one.flow
    if flow.sender is not None:
        buffer = max((level.send_buffer or 0 for level in flow.sender.levels), default=0)
        yield f"send queue up to {flow.highest_send:,} bytes, SO_SNDBUF {buffer:,}"
    if flow.receiver is not None:
        buffer = max((level.receive_buffer or 0 for level in flow.receiver.levels), default=0)
        yield f"receive queue up to {flow.highest_receive:,} bytes, SO_RCVBUF {buffer:,}"
    if one.blocked:
        yield f"send blocked {_when(one.blocked, queues.begun)}"
    if one.closed:
        probed = f"; {one.probes} probes on the wire" if one.probes else ""
        yield f"window closed {_when(one.closed, queues.begun)}{probed}"
    if flow.dropped:
        yield f"{flow.dropped:,} packets dropped, for want of room"


def _when(spans: Sequence[Span], begun: int) -> str:
    total = sum(span.end - span.start for span in spans)
    first = (spans[0].start - begun) / 1e9
    times = "once" if len(spans) == 1 else f"{len(spans)} times"
    return f"{times}, {duration(total)} in all, first at {first:.3f} s"
