"""A figure: what is drawn, in which lane, from which row to which. No measures yet.

A row is a moment, or moments that nothing puts in an order. Rows are numbered from 0, down the
picture; their distance on the page is left to the output. A lane is the lifeline of one thread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from labctl.sequence.connection import Connection
from labctl.sequence.events import Call, Notice, Segment


@dataclass(frozen=True, slots=True)
class Options:
    """What of a timeline is drawn; without any, a choice that stays readable."""

    connections: Collection[int] | None = None
    """The ids of the connections to draw; None for a choice: all where they are few, else one
    of each of a few kinds, and which are not drawn. Look-ups of names are not."""
    hosts: Sequence[str] | None = None
    """The hosts whose calls are drawn, in this order from the left; None for all."""
    prefer: Sequence[int] = ()
    """The ids of the connections to draw rather than others where not all are, the most worth
    first."""
    unfold: bool = False
    """Draw each repetition and each connection on its own."""
    all_calls: bool = False
    """Draw also (dimmed) calls that wait for or set up a socket, or concern none."""
    routers: bool = False
    """Give each router a lane of its own, instead of a tick on the arrow."""
    states: bool = True
    """Draw the changes of TCP states, where the tracer saw them."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The lifeline of one thread, or of a host as a whole where `tid` is None."""

    host: str
    pid: int | None
    tid: int | None
    name: str
    """`M` of a main process that has subordinates, `S1` of the first of these, `T1` of its
    first further thread; else empty."""
    program: str
    parent: int | None
    """The lane whose thread made this one."""
    first: int
    last: int
    end: str
    """How it ended: `exit 0`, `SIGPIPE`; empty where it did not."""
    numbered: bool = False
    """Another lane of its host has the same name and program: only its number tells them apart."""


@dataclass(frozen=True, slots=True)
class Column:
    """A host, its addresses and its lanes. `kind`: `host`, `router`, or `outside` of the lab."""

    host: str
    addresses: tuple[str, ...]
    kind: str
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A call, or several folded into one, from its start to its return."""

    lane: int
    first: int
    last: int
    calls: tuple[Call, ...]
    connection: int | None
    blocked: bool
    """It waited for something to happen elsewhere."""
    dimmed: bool
    returned: bool = True
    """False where the program never saw it return."""
    datagram: bool = False
    """It is on a socket of datagrams."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A segment, or several folded into one, from where it was sent to where it arrived.

    `via` has the routers that it passed, each with the part of the way's time until then, from 0
    to 1. A lost one ends between the lanes; one of an unknown beginning starts there.
    """

    source: int
    target: int
    first: int
    last: int
    kind: str
    """`syn`, `ack`, `data`, `fin`, `rst`, `udp` or `icmp`."""
    segments: tuple[Segment, ...]
    connection: int | None
    lost: bool = False
    via: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on a lane: `state` (a new TCP state), `fork` (of the lane `target`) or `exec`."""

    lane: int
    row: int
    kind: str
    text: str
    connection: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Connections that are like a drawn one, `like`, and not drawn; None: like no drawn one."""

    like: int | None
    members: tuple[int, ...]
    calls: int = 0
    segments: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """All that is drawn. `rows` has each row's time in nanoseconds since `zero`."""

    title: str
    tracer: str
    zero: int
    """Time zero of the figure, in nanoseconds since the epoch: that of verdict and diagnoses,
    the first event of the recording, whether that is drawn or not."""
    columns: tuple[Column, ...]
    lanes: tuple[Lane, ...]
    rows: tuple[int, ...]
    bars: tuple[Bar, ...]
    arrows: tuple[Arrow, ...]
    marks: tuple[Mark, ...]
    connections: tuple[Connection, ...]
    """Those that are drawn, in the order of their beginning."""
    groups: tuple[Group, ...]
    notices: tuple[Notice, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many calls and segments are not drawn and in no group, by why."""

    def colour(self, connection: int | None) -> int | None:
        """Return the place of a connection among the drawn ones, from 0; None of none."""
        places = (n for n, drawn in enumerate(self.connections) if drawn.id == connection)
        return next(places, None)
