"""What is drawn of queues over time: two panels with one time axis, as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isnan, log10

from labctl.observe.queues.model import Level, SocketQueues, Span
from labctl.observe.queues.seen import Queues, Seen
from labctl.sequence.events import Endpoint

MOST = 6
"""How many flows are drawn: those in which the most bytes waited."""
_MARGIN = 0.03
_LEAST_TOP = 10.0

Steps = tuple[list[float], list[float]]
"""Seconds and bytes, both corners of each step among them; a gap is not a number."""


@dataclass(frozen=True)
class Curve:
    """One queue of one socket: its bytes, the memory they take, and how much they may take."""

    name: str
    flow: int
    queue: Steps
    memory: Steps
    limit: Steps


@dataclass(frozen=True)
class Panel:
    """One of the two: its title, its curves, and marks as (flow, from, to) in seconds."""

    title: str
    curves: tuple[Curve, ...]
    marks: tuple[tuple[int, float, float], ...]
    mark: str
    """What a mark means."""

    @property
    def highest(self) -> float:
        """The top of its axis, in bytes."""
        steps = [s for c in self.curves for s in (c.queue, c.limit)]
        return 1.2 * max([_LEAST_TOP, *(y for _, ys in steps for y in ys if not isnan(y))])


@dataclass(frozen=True)
class Picture:
    """All of it. `start` and `end` are seconds since the first look."""

    title: str
    start: float
    end: float
    panels: tuple[Panel, Panel]
    flows: tuple[str, ...]
    """The names of the flows drawn, by their number."""
    undrawn: int


def picture(queues: Queues) -> Picture:
    """Return what is drawn of the flows in which something waited."""
    drawn = queues.busy[:MOST]
    start, end = _extent(drawn, queues)

    def at(time: int) -> float:
        return (time - queues.begun) / 1e9

    def curves(side: Callable[[Seen], SocketQueues | None], which: str) -> tuple[Curve, ...]:
        found = []
        for number, one in enumerate(drawn):
            socket = side(one)
            if socket is not None:
                found.append(_curve(number, flow_name(one), socket, which, at, queues.ended))
        return tuple(found)

    def spans(of: Callable[[Seen], Sequence[Span]]) -> tuple[tuple[int, float, float], ...]:
        return tuple((n, at(s.start), at(s.end)) for n, one in enumerate(drawn) for s in of(one))

    return Picture(
        queues.title,
        at(start),
        at(end),
        (
            Panel(
                "send queue: bytes that the other end has not acknowledged",
                curves(lambda one: one.flow.sender, "send"),
                spans(lambda one: one.blocked),
                "the program is blocked in send",
            ),
            Panel(
                "receive queue: bytes that the program has not read",
                curves(lambda one: one.flow.receiver, "receive"),
                spans(lambda one: one.closed) + spans(lambda one: one.drops),
                "the window is closed (TCP), packets are dropped (UDP)",
            ),
        ),
        tuple(flow_name(one) for one in drawn),
        len(queues.busy) - len(drawn),
    )


def flow_name(one: Seen) -> str:
    """Return what a flow is called: `client:40000 to server:9100`, with the hosts' names."""
    flow = one.flow
    sender, receiver = flow.sender, flow.receiver
    ends = (
        _end(sender, receiver.remote if receiver else None),
        _end(receiver, sender.remote if sender else None),
    )
    if flow.protocol == "tcp":
        return " to ".join(ends)
    return f"UDP socket {ends[0] if receiver is None else ends[1]}"


def _end(socket: SocketQueues | None, otherwise: Endpoint | None) -> str:
    if socket is None:
        return str(otherwise) if otherwise else "?"
    return f"{socket.host}:{socket.local.port if socket.local else '?'}"


def _extent(drawn: Sequence[Seen], queues: Queues) -> tuple[int, int]:
    """Return from when to when the sockets that are drawn were there, with a margin."""
    sockets = [s for one in drawn for s in (one.flow.sender, one.flow.receiver) if s]
    if not sockets:
        return queues.begun, queues.ended
    # A UDP socket may have been bound long before anything came.
    first = min(_first_time(one) for one in sockets)
    last = max(_last_time(one, queues.ended) for one in sockets)
    margin = int((last - first) * _MARGIN) + 1
    return max(queues.begun, first - margin), min(queues.ended, last + margin)


def _first_time(socket: SocketQueues) -> int:
    for level in socket.levels:
        if level.receive_queue > 1 or level.send_queue > 1 or socket.protocol == "tcp":
            return level.time
    return socket.levels[-1].time


def _last_time(socket: SocketQueues, ended: int) -> int:
    if socket.gone is not None:
        return socket.gone
    last = socket.levels[-1]
    return last.time if not (last.receive_queue or last.send_queue) else ended


def _curve(
    number: int,
    name: str,
    socket: SocketQueues,
    which: str,
    at: Callable[[int], float],
    ended: int,
) -> Curve:
    end = at(socket.gone if socket.gone is not None else ended)
    times = [at(level.time) for level in socket.levels]

    def steps(of: str) -> Steps:
        return _steps(times, [_value(level, of) for level in socket.levels], end)

    queue, memory, limit = (steps(f"{which}_{of}") for of in ("queue", "memory", "buffer"))
    return Curve(name, number, queue, memory, limit)


def _value(level: Level, name: str) -> float:
    value = getattr(level, name)
    return float("nan") if value is None else float(value)


def _steps(times: Sequence[float], values: Sequence[float], end: float) -> Steps:
    """Return the corners of a line that keeps each value until the next."""
    xs: list[float] = []
    ys: list[float] = []
    for time, value in zip(times, values, strict=True):
        if ys:
            xs.append(time)
            ys.append(ys[-1])
        xs.append(time)
        ys.append(value)
    xs.append(max(end, xs[-1]))
    ys.append(ys[-1])
    return xs, ys


def nice(least: float, most: float, count: int) -> list[float]:
    """Return about `count` round numbers from `least` to `most`, for the ticks of an axis."""
    rough = (most - least) / count
    if rough <= 0:
        return [least]
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    first = ceil(least / step)
    return [step * number for number in range(first, floor(most / step) + 1)]
