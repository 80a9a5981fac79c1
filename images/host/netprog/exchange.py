"""One file in a swarm: what is said to each peer on each message of its. No socket here.

A peer that has the file only gives; one that fetches it gives and takes at the same time.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address

from command import endpoint
from manifest import Manifest
from napster import Malformed
from swarm_give import Giving
from swarm_line import Line
from swarm_plan import ANY, Plan
from swarm_source import Source
from swarm_store import Partial, Store
from swarm_wire import (
    PIECE_NUMBER,
    Frame,
    Kind,
    any_of,
    bits,
    frame,
    numbers,
    parse_any,
    parse_bits,
    parse_numbers,
)

MOST_ACTIVE = 3
"""Pieces on their way out at a time. One would leave gaps between two; many connections at
once only fill the queue of the uplink, which then drops packets of all of them."""

SLOW_SECONDS = 1.0
"""Who has not taken a piece after so long counts no more: others need not wait for it."""

BACKLOG = 2
"""Requests that wait here, for each other peer, with which no seed is asked for more: what it
would send us now the others would wait for."""

NEWS_SECONDS = 0.5
"""How often all are told what came from others than seeds. They were told before who had it."""

MOST_PEERS = 50
"""Addresses told to a newcomer."""


class Lied(Exception):
    """A peer sent what is not the file."""


@dataclass
class Counts:
    """Bytes of pieces that came and went, by the nick of who sent or took them."""

    received: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)


class Exchange:
    """The pieces of one file between this peer and others.

    `plan` is None for a peer that has the file. `call` is what calls further peers. Methods
    raise Malformed or Lied for a peer that is to be hung up on, OSError when the file cannot
    be read, CannotWrite when it cannot be written.
    """

    def __init__(self, manifest: Manifest, store: Store, call: Callable[[str, int], None]) -> None:
        self.manifest = manifest
        self.store = store
        self.plan = Plan(manifest.pieces) if isinstance(store, Partial) else None
        self.have = self.plan.have if self.plan else set(range(manifest.pieces))
        self.giving: Giving[Line] = Giving(manifest.pieces, self.have)
        self.counts = Counts()
        self._call = call
        self._lines: dict[Line, Source] = {}
        self._active: dict[Line, float] = {}
        """To whom something is on its way, since when."""
        self._curious: deque[Line] = deque()
        """Who waits for the hashes."""
        self._news: list[int] = []
        self._tell_at = 0.0
        self._changed = False
        self._handlers: dict[Kind, Callable[[Line, Source, bytes], None]] = {
            Kind.HASHES: self._hashes,
            Kind.BITS: self._bits,
            Kind.HAVE: self._has,
            Kind.ASK: self._asked,
            Kind.ANY: self._asked_any,
            Kind.PIECE: self._piece,
            Kind.NONE: self._refused,
            Kind.CANCEL: self._cancelled,
            Kind.PEERS: self._peers,
        }

    @property
    def complete(self) -> bool:
        return self.plan is None or self.plan.complete

    @property
    def lines(self) -> Iterable[Line]:
        return self._lines

    @property
    def wanted(self) -> bool:
        """Whether some peer here does not have the whole file yet."""
        return any(len(source.has) < self.manifest.pieces for source in self._lines.values())

    def join(self, line: Line) -> None:
        """The peer's HELLO has named this file: tell it what is here, and who else is."""
        assert line.hello is not None
        others = [endpoint(other.identity) for other in self._lines if other.identity]
        self._lines[line] = Source(line.hello.nick)
        self.giving.join(line)
        line.put(bits(self.have, self.manifest.pieces))
        if others and not line.called:
            line.put(frame(Kind.PEERS, " ".join(others[-MOST_PEERS:]).encode()))

    def leave(self, line: Line) -> None:
        """The connection is gone."""
        source = self._lines.pop(line)
        self._changed = True
        self.giving.leave(line)
        self._active.pop(line, None)
        if line in self._curious:
            self._curious.remove(line)
        if self.plan is not None and source in self.plan.sources:
            self.plan.leave(source)

    def take(self, line: Line, message: Frame) -> None:
        """One frame of a peer that has joined."""
        handler = self._handlers.get(message.kind)
        if handler is None:
            raise Malformed(f"{message.kind.name} at the wrong time")
        handler(line, self._lines[line], message.data)
        self._changed = True

    def _hashes(self, line: Line, _source: Source, data: bytes) -> None:
        if not data and line not in self._curious:
            self._curious.append(line)

    def _asked(self, line: Line, _source: Source, data: bytes) -> None:
        for piece in parse_numbers(data, self.manifest.pieces):
            if not self.giving.ask(line, piece):
                line.put(numbers(Kind.NONE, [piece]))

    def _asked_any(self, line: Line, _source: Source, data: bytes) -> None:
        if not self.giving.ask(line, parse_any(data)):
            line.put(frame(Kind.NONE))

    def _cancelled(self, line: Line, _source: Source, data: bytes) -> None:
        for piece in parse_numbers(data, self.manifest.pieces):
            self.giving.cancel(line, piece)

    def _bits(self, line: Line, source: Source, data: bytes) -> None:
        has = parse_bits(data, self.manifest.pieces)
        self.giving.has(line, has)
        if self.plan is None:
            source.has.update(has)
        elif source not in self.plan.sources:
            source.seed = len(has) == self.manifest.pieces
            self.plan.join(source)
            self.plan.offer(source, has)

    def _has(self, line: Line, source: Source, data: bytes) -> None:
        pieces = parse_numbers(data, self.manifest.pieces)
        self.giving.has(line, pieces)
        if self.plan is not None:
            self.plan.offer(source, pieces)
        else:
            source.has.update(pieces)

    def _refused(self, _line: Line, source: Source, data: bytes) -> None:
        if self.plan is not None:
            pieces = parse_numbers(data, self.manifest.pieces) or [ANY]
            for piece in pieces:
                self.plan.refused(source, piece, time.monotonic())

    def _piece(self, _line: Line, source: Source, data: bytes) -> None:
        if self.plan is None or not isinstance(self.store, Partial):
            return
        (piece,) = parse_numbers(data[: PIECE_NUMBER.size], self.manifest.pieces) or [-1]
        block = data[PIECE_NUMBER.size :]
        if piece < 0 or not self.manifest.is_right(piece, block):
            raise Lied(f"piece {piece} of {source.name} is not that of the file")
        self.counts.received[source.name] = self.counts.received.get(source.name, 0) + len(block)
        now = time.monotonic()
        if piece in self.have:
            self.plan.settle(source, piece, now)
            return
        self.store.write(piece, block)
        for other in self.plan.got(source, piece, now):
            if other is not source:
                self._line(other).put(numbers(Kind.CANCEL, [piece]))
        self._news.append(piece)
        if source.seed:
            # Nobody else has it, and all want it.
            have = numbers(Kind.HAVE, [piece])
            for other_line, other in self._lines.items():
                if not other.seed:
                    other_line.put(have)

    def _line(self, source: Source) -> Line:
        return next(line for line, one in self._lines.items() if one is source)

    def _peers(self, _line: Line, _source: Source, data: bytes) -> None:
        for word in data.decode("ascii", "replace").split()[:MOST_PEERS]:
            ip, _, port = word.rpartition(":")
            if _is_address(ip) and port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535:
                self._call(ip, int(port))

    def tell(self, now: float) -> None:
        """Tell all what has come since the last time, if that is a while ago, or nothing more
        will come."""
        if self._news and (now >= self._tell_at or self.complete):
            self._tell_at = now + NEWS_SECONDS
            news = numbers(Kind.HAVE, self._news)
            self._news = []
            for line in self._lines:
                line.put(news)
        # Some asks depend on the time alone.
        self._changed = True

    def ask(self, now: float) -> None:
        """Ask for more, if something has changed since the last time."""
        if self.plan is None or not self._changed:
            return
        self._changed = False
        lines = {source: line for line, source in self._lines.items()}
        spare = self.giving.waiting < BACKLOG * len(self._lines)
        for source, piece in self.plan.asks(now, spare):
            if piece == ANY:
                lines[source].put(any_of(*self.plan.share_of(source)))
            else:
                lines[source].put(numbers(Kind.ASK, [piece]))

    def silent(self, now: float) -> list[Line]:
        """Those who have owed something for too long: they are to be hung up on."""
        if self.plan is None:
            return []
        stalled = self.plan.stalled(now)
        return [line for line, source in self._lines.items() if source in stalled]

    def give(self, now: float) -> None:
        """Put the next pieces on their way, while few enough are."""
        self._active = {line: since for line, since in self._active.items() if line.waiting}
        active = sum(now - since < SLOW_SECONDS for since in self._active.values())
        for _ in range(active, MOST_ACTIVE):
            line = self._give_one()
            if line is None:
                return
            self._active[line] = now

    def _give_one(self) -> Line | None:
        """Put something on its way; returns to whom, None when there is nothing to do."""
        if self._curious:
            line = self._curious.popleft()
            line.put(frame(Kind.HASHES, self.manifest.hashes))
            return line
        while (chosen := self.giving.next(self._active)) is not None:
            line, piece = chosen
            if piece is None:
                line.put(frame(Kind.NONE))
                continue
            block = self.store.read(piece)
            line.put(frame(Kind.PIECE, PIECE_NUMBER.pack(piece) + block))
            name = line.hello.nick if line.hello else line.remote[0]
            self.counts.sent[name] = self.counts.sent.get(name, 0) + len(block)
            return line
        return None


def _is_address(ip: str) -> bool:
    """Whether this is one, and no name: to look that up, all others would have to wait."""
    try:
        IPv4Address(ip)
    except AddressValueError:
        return False
    return True
