"""Which piece to ask of whom: the plan of a peer that fetches a file from a swarm. Pure.

Each source is asked for a few pieces at a time, so that its uplink never waits for our next
request. From one that had the whole file when it came (a seed) we take any piece that it has
not given out yet: so every piece leaves the seed once before any leaves it twice, and the
others bring it further (the lower bound F/us of the text is reached only so). From the others
we take pieces that they have and nobody else has been asked for, at random: so that all do not
have the same. What a source owes for too long is asked of another one, too.
"""

import random
from collections.abc import Iterable

from swarm_source import Source

GRACE = 1.0
"""Seconds a seed that has given all pieces out is spared: others will have them soon."""

OVERDUE = 2.0
"""Seconds after which a piece is asked of a second source, at least; where all take long to
come, as on slow links, it is TIMES_USUAL of what they take."""

TIMES_USUAL = 3

STALLED = 15.0
"""Seconds without a piece after which a source that owes some is dropped."""

ANY = -1
"""In place of a number: the source chooses the piece."""


class Plan:
    """What is there, what is missing, and who owes what. Times are the caller's, in seconds."""

    def __init__(self, pieces: int, chance: random.Random | None = None) -> None:
        self.pieces = pieces
        self.have: set[int] = set()
        self.sources: list[Source] = []
        self._missing = set(range(pieces))
        self._asked: dict[int, list[Source]] = {}
        """Who was asked for what; those asked for longest first."""
        self._usual = 0.0
        """Seconds that a piece takes to come once it is asked for, a smoothed mean."""
        self._chance = chance or random.Random()

    @property
    def complete(self) -> bool:
        return not self._missing

    def join(self, source: Source) -> None:
        """A source has come; what it has is told with `offer`."""
        self.sources.append(source)
        self.sources.sort(key=lambda one: one.name)

    def leave(self, source: Source) -> None:
        """A source has gone: what it owes may be asked of others."""
        self.sources.remove(source)
        for piece in list(source.owes):
            self._forget(source, piece)

    def offer(self, source: Source, pieces: Iterable[int]) -> None:
        """The source has these pieces; of those that it did not give, that is not believed."""
        known = source.has | source.refused
        new = [piece for piece in pieces if piece not in known]
        source.has.update(new)
        source.offers += [piece for piece in new if piece in self._missing]

    def got(self, source: Source, piece: int, now: float) -> list[Source]:
        """A right piece has come; returns who else owes it and can be told to cancel."""
        self.settle(source, piece, now)
        self.have.add(piece)
        self._missing.discard(piece)
        others = self._asked.pop(piece, [])
        for other in others:
            other.owes.pop(piece, None)
        return others

    def settle(self, source: Source, piece: int, now: float) -> None:
        """The source has sent a piece, whatever became of it: it owes one less."""
        source.heard = now
        if piece in source.owes:
            source.came(source.owes[piece], now)
            self._usual += (now - source.owes[piece] - self._usual) / 16
            self._forget(source, piece)
        elif source.any_owed:
            source.came(source.any_owed.pop(0), now)

    def refused(self, source: Source, piece: int, now: float) -> None:
        """The source does not have the piece it was asked for; or, with ANY, none to give out."""
        if piece == ANY:
            source.any_owed.clear()
            source.dry_since = now
        elif piece in source.owes:
            source.has.discard(piece)
            source.refused.add(piece)
            self._forget(source, piece)

    def _forget(self, source: Source, piece: int) -> None:
        """The source owes the piece no more, which did not come: others may be asked."""
        source.owes.pop(piece, None)
        askers = self._asked.get(piece, [])
        if source in askers:
            askers.remove(source)
        if not askers:
            self._asked.pop(piece, None)
            if piece in self._missing:
                for other in self.sources:
                    if piece in other.has:
                        other.offers.append(piece)

    def stalled(self, now: float) -> list[Source]:
        """Sources that owe something and have sent nothing for too long."""
        return [s for s in self.sources if s.outstanding and now - s.heard > STALLED]

    def asks(self, now: float, spare: bool = True) -> list[tuple[Source, int]]:
        """What to ask now: pairs of a source and a piece (or ANY). They count as asked.

        Without `spare` no seed is asked for what nobody has yet: others wait for us already.
        """
        found: list[tuple[Source, int]] = []
        if not self._missing:
            return found
        late = self._late(now)
        # Those that owe least first, so that the pieces are spread over all.
        for source in sorted(self.sources, key=lambda one: one.outstanding):
            while source.outstanding < source.depth:
                piece = self._choose(source, now, spare)
                if piece is None:
                    piece = self._overdue(source, late)
                if piece is None:
                    break
                if not source.outstanding:
                    source.heard = now
                if piece == ANY:
                    source.any_owed.append(now)
                else:
                    source.owes[piece] = now
                    self._asked.setdefault(piece, []).append(source)
                found.append((source, piece))
        return found

    def _choose(self, source: Source, now: float, spare: bool) -> int | None:
        if source.seed:
            if source.dry_since is None:
                left = len(self._missing) - len(self._asked)
                return ANY if spare and left > len(source.any_owed) else None
            return self._left_over(source, now) if now - source.dry_since > GRACE else None
        while source.offers:
            at = self._chance.randrange(len(source.offers))
            source.offers[at], piece = source.offers[-1], source.offers[at]
            source.offers.pop()
            if piece in self._missing and piece not in self._asked:
                return piece
        return None

    def _left_over(self, seed: Source, now: float) -> int | None:
        """A piece that only seeds have: it was given out, but whoever got it has gone."""
        if now < seed.look_at:
            return None
        others = [one for one in self.sources if not one.seed]
        for piece in self._missing:
            if piece in self._asked or piece not in seed.has:
                continue
            if not any(piece in one.has for one in others):
                return piece
        # Every missing piece was looked at for nothing: not again for each piece that comes.
        seed.look_at = now + GRACE / 4
        return None

    def _late(self, now: float) -> list[int]:
        """The pieces that one source owes for too long."""
        patience = max(OVERDUE, TIMES_USUAL * self._usual)
        late = []
        for piece, (first, *others) in self._asked.items():
            if now - first.owes[piece] <= patience:
                break
            if not others:
                late.append(piece)
        return late

    def _overdue(self, source: Source, late: list[int]) -> int | None:
        """One of the late pieces that this source has; a seed is spared while it gives others."""
        if source.seed and source.dry_since is None:
            return None
        for piece in late:
            if piece in source.has and len(self._asked[piece]) < 2 and piece not in source.owes:
                return piece
        return None

    def share_of(self, source: Source) -> tuple[int, int]:
        """Which pieces to take from a seed when there are several: those whose number leaves
        the first figure, divided by the second. So no two seeds send the same piece."""
        seeds = [one for one in self.sources if one.seed]
        return seeds.index(source), len(seeds)
