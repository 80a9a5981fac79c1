"""Which piece to send whom next: the other half of a peer in a swarm. Pure.

Requests wait in a queue of their own for each peer, and the queues take turns, piece by piece:
so nobody waits for one who asks for much. A seed chooses itself what answers an ANY.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Taker = TypeVar("Taker", bound=Hashable)

MOST_QUEUED = 64
"""Requests of one peer that wait; more are refused."""


@dataclass
class Queue:
    """What one peer has asked for, and which pieces it has."""

    wanted: deque[int | tuple[int, int]] = field(default_factory=deque)
    """Piece numbers; and remainder and divisor of an ANY."""
    has: set[int] = field(default_factory=set)


class Giving(Generic[Taker]):
    """The queues of all peers that take pieces of one file; `have` is what can be given."""

    def __init__(self, pieces: int, have: set[int]) -> None:
        self._have = have
        self._copies = [0] * pieces
        """How often each piece is known to be there, besides here, or on its way."""
        self._next_any: dict[tuple[int, int], int] = {}
        self._queues: dict[Taker, Queue] = {}
        self._turns: deque[Taker] = deque()

    @property
    def waiting(self) -> int:
        """Requests that have not been served yet."""
        return sum(len(queue.wanted) for queue in self._queues.values())

    def join(self, taker: Taker) -> None:
        self._queues[taker] = Queue()

    def leave(self, taker: Taker) -> None:
        """Whoever is gone has its pieces no more: a seed may have to give them out again."""
        queue = self._queues.pop(taker)
        for piece in queue.has:
            self._copies[piece] -= 1
        self._next_any.clear()
        if taker in self._turns:
            self._turns.remove(taker)

    def has(self, taker: Taker, pieces: Iterable[int]) -> None:
        """The taker has these pieces now."""
        queue = self._queues[taker]
        for piece in pieces:
            if piece not in queue.has:
                queue.has.add(piece)
                self._copies[piece] += 1

    def ask(self, taker: Taker, wanted: int | tuple[int, int]) -> bool:
        """Queue a request; False when the piece is not here, or too much is queued already."""
        queue = self._queues[taker]
        here = not isinstance(wanted, int) or wanted in self._have
        if not here or len(queue.wanted) >= MOST_QUEUED:
            return False
        if not queue.wanted:
            self._turns.append(taker)
        queue.wanted.append(wanted)
        return True

    def cancel(self, taker: Taker, piece: int) -> None:
        """The taker wants that piece no more."""
        queue = self._queues[taker]
        if piece in queue.wanted:
            queue.wanted.remove(piece)
            if not queue.wanted:
                self._turns.remove(taker)

    def next(self, busy: Iterable[Taker] = ()) -> tuple[Taker, int | None] | None:
        """Whose turn it is, and the piece (None: there is none for its ANY); None when nobody
        waits but those who are `busy`."""
        busy = set(busy)
        for _ in range(len(self._turns)):
            taker = self._turns.popleft()
            if taker in busy:
                self._turns.append(taker)
                continue
            queue = self._queues[taker]
            wanted = queue.wanted.popleft()
            if queue.wanted:
                self._turns.append(taker)
            piece = wanted if isinstance(wanted, int) else self._any(queue, wanted)
            if piece is not None and piece not in queue.has:
                queue.has.add(piece)
                self._copies[piece] += 1
            return taker, piece
        return None

    def _any(self, queue: Queue, wanted: tuple[int, int]) -> int | None:
        """The first piece of the class that nobody else has been given or has."""
        remainder, divisor = wanted
        if len(self._next_any) > MOST_QUEUED:
            self._next_any.clear()
        piece = self._next_any.get(wanted, remainder)
        while piece < len(self._copies) and (self._copies[piece] or piece not in self._have):
            piece += divisor
        self._next_any[wanted] = piece
        if piece < len(self._copies) and piece not in queue.has:
            return piece
        return None
