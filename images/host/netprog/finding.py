"""Finding a file: the first two of Napster's four steps, and how far the holders are."""

from dataclasses import dataclass
from typing import Any

from holders import Holder, is_called, without
from roundtrip import measure
from session import Session

Address = tuple[str, int]


@dataclass(frozen=True)
class Step:
    """One row of the table of steps: who sent what to whom; bytes on the wire, seconds."""

    step: int
    what: str
    origin: Address
    to: Address
    bytes: int
    seconds: float

    def row(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "what": self.what,
            "from": self.origin,
            "to": self.to,
            "bytes": self.bytes,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Order:
    """What is wanted, and how: `own` are nicks that are this peer itself (lower case); `only`
    a holder's nick; `ping` how the holders are measured, if at all; `behind_nat` that nobody
    can connect to this peer."""

    name: str
    own: set[str]
    only: str | None = None
    nearest: bool = False
    ping: str | None = None
    behind_nat: bool = False


def find(session: Session, order: Order) -> tuple[list[Holder], list[Step]]:
    """Steps 1 and 2: who has a file called as the order says."""
    answer = session.search(order.name)
    here, there = session.local, session.remote
    steps = [
        Step(1, f"ask the directory who has {order.name}", here, there, *answer.asked),
        Step(2, "the directory answers", there, here, *answer.answered),
    ]
    holders = [Holder.of(result) for result in answer.results if is_called(result.file, order.name)]
    return without(holders, order.own, order.only), steps


def with_round_trips(session: Session, holders: list[Holder], how: str) -> list[Holder]:
    """The holders with a round trip to each measured now. For their ports the directory is
    asked by checksum (216): a 201 does not tell them."""
    ports: dict[str, int] = {}
    if how == "tcp":
        for md5, bytes_ in {holder.content for holder in holders}:
            ports |= {found.nick: found.port for found in session.holders(md5, bytes_)}
    # Who says port 0 cannot be connected to; that is no reason not to try the usual one.
    places = {holder.nick: (holder.ip, ports.get(holder.nick, 0)) for holder in holders}
    times = measure(places.values(), how)
    return [holder._replace(round_trip=times[places[holder.nick]]) for holder in holders]
