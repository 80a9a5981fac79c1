"""Connections and timelines made of short texts, for tests of patterns.

    made = connection(server="socket bind listen accept recv=5 close", wire="c>SYN s>RST")
    verdict = match(pattern, Told(made))

A word of calls is `name`, `name=result`, `name=ERRNO`, `name=blocked` (never returned),
`close=shared` (another descriptor is left). A word of segments is `c>SYN` (from the client) or
`s>data`; `s>data+FIN` carries both; a `!` behind it: it never arrived; `~`: it is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import Any

from labctl.sequence.connection import Connection, Side, Socket
from labctl.sequence.events import Call, Endpoint, Notice, Segment, Sighting
from labctl.sequence.recording import ObservedHost, Recording

START = 1_700_000_000_000_000_000
CLIENT, SERVER = Endpoint("10.0.0.1", 40_000), Endpoint("10.0.0.2", 80)
_FLAGS = {"SYN": ("SYN",), "SYN-ACK": ("SYN", "ACK"), "RST": ("RST",)}


class Clock:
    """Gives the times of a text's events, one after another."""

    def __init__(self, start: int = START) -> None:
        self._times = count(start, 10_000)

    def now(self) -> int:
        return next(self._times)


def call(host: str, word: str, clock: Clock, **more: Any) -> Call:
    name, _, told = word.partition("=")
    start, end = clock.now(), clock.now()
    more.setdefault("last", name == "close" and told != "shared")
    made = Call(host, 1, 1, name, start, end, 0, fd=3, **more)
    if told == "blocked":
        return replace(made, end=None, result=None)
    if told.startswith("E"):
        return replace(made, result=-1, errno=told)
    return replace(made, result=int(told) if told.isdecimal() else 5 if name == "recv" else 0)


def calls(host: str, text: str, clock: Clock | None = None, **more: Any) -> tuple[Call, ...]:
    clock = clock or Clock()
    return tuple(call(host, word, clock, **more) for word in text.split())


def segments(text: str, protocol: str = "tcp", clock: Clock | None = None) -> tuple[Segment, ...]:
    clock = clock or Clock()
    return tuple(_segment(word, protocol, clock) for word in text.split())


def _segment(word: str, protocol: str, clock: Clock) -> Segment:
    sender, _, rest = word.partition(">")
    kinds = rest.rstrip("!~").split("+")
    mine, theirs = (CLIENT, SERVER) if sender == "c" else (SERVER, CLIENT)
    hosts = ("client", "server") if sender == "c" else ("server", "client")
    flags = [flag for kind in kinds for flag in _FLAGS.get(kind, ("ACK",))]
    flags += ["FIN"] * ("FIN" in kinds)
    icmp = kinds[0].islower() and kinds[0] not in ("data", "datagram")
    return Segment(
        "icmp" if icmp else protocol,
        mine,
        theirs,
        Sighting(hosts[0], "net", clock.now()),
        None if rest.endswith("!") else Sighting(hosts[1], "net", clock.now()),
        flags=tuple(flags) if protocol == "tcp" else (),
        length=7 if "data" in kinds or "datagram" in kinds else 0,
        retransmission="~" in rest,
        about=f"{kinds[0].replace('-', ' ')} 10.0.0.2:80 udp" if icmp else "",
    )


def socket(host: str, number: int, protocol: str = "tcp", **more: Any) -> Socket:
    made = Socket(
        number,
        host,
        "AF_INET",
        "SOCK_STREAM" if protocol == "tcp" else "SOCK_DGRAM",
        SERVER if host == "server" else CLIENT,
        None,
        False,
        None,
        (1,),
        START,
        START,
    )
    return replace(made, **more)


def connection(
    server: str = "",
    client: str = "",
    wire: str = "",
    *,
    outcome: str = "established",
    protocol: str = "tcp",
    number: int = 1,
    hosts: tuple[str | None, str | None] = ("client", "server"),
    **of_socket: Any,
) -> Connection:
    """Return a connection from client to server; `of_socket` changes the sockets of both."""
    ends: list[Side] = []
    for host, name, text, endpoint in zip(
        hosts, ("client", "server"), (client, server), (CLIENT, SERVER), strict=True
    ):
        own = socket(name, number * 10 + len(ends), protocol, **of_socket) if text else None
        ends.append(Side(host, endpoint, own, calls(host or name, text)))
    return Connection(number, protocol, ends[0], ends[1], segments(wire, protocol), (), outcome)


class Order(Enum):
    BEFORE = 1
    AFTER = 2
    UNORDERED = 3


@dataclass(frozen=True)
class Moment:
    event: Call | Segment
    kind: str
    host: str
    time: int


class Told:
    """What a timeline tells, made of connections and of calls that belong to none."""

    def __init__(
        self,
        *connections: Connection,
        stray: Sequence[Call] = (),
        sockets: Sequence[Socket] = (),
        hosts: Sequence[str] = ("client", "server"),
        notices: Sequence[Notice] = (),
    ) -> None:
        self.connections = connections
        sides = [side for connection in connections for side in connection.sides]
        self.calls = (*(call for side in sides for call in side.calls), *stray)
        self.sockets = (*(side.socket for side in sides if side.socket), *sockets)
        segments = tuple(segment for made in connections for segment in made.segments)
        observed = tuple(ObservedHost(host, {}) for host in hosts)
        self.recording = Recording(
            "told", "strace", observed, self.calls, segments, notices=tuple(notices)
        )

    @property
    def moments(self) -> list[Moment]:
        found = []
        for one in self.calls:
            found.append(Moment(one, "call", one.host, one.start))
            if one.end is not None:
                found.append(Moment(one, "return", one.host, one.end))
        for segment in self.recording.segments:
            for kind, seen in (("sent", segment.sent), ("received", segment.received)):
                if seen is not None:
                    found.append(Moment(segment, kind, seen.host, seen.time))
        return found

    def order(self, first: Moment, second: Moment) -> Order:
        if first.time == second.time:
            return Order.UNORDERED
        return Order.BEFORE if first.time < second.time else Order.AFTER
