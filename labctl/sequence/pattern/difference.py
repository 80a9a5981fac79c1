"""Where a real sequence leaves the pattern, and all that a report or a rule asks about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labctl.sequence.connection import Connection, Side
from labctl.sequence.events import Call
from labctl.sequence.pattern.automaton import Automaton
from labctl.sequence.pattern.signs import Sign, Token
from labctl.sequence.pattern.syntax import Atom
from labctl.sequence.pattern.words import ICMP
from labctl.sequence.verbs import verb

WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Scene:
    """Who did it: a host, in its role, on a connection; or the wire.

    `calls` are all calls of that end, also those that don't count. `side` and `connection` are
    None for a socket that never had a connection.
    """

    subject: str
    role: str
    """`server`, `client` or `wire`."""
    protocol: str
    connection: Connection | None = None
    side: Side | None = None
    calls: tuple[Call, ...] = ()

    @property
    def outcome(self) -> str:
        return self.connection.outcome if self.connection else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the real sequence is not as wanted.

    `tokens[at]` does not fit; where `at` is their number, the sequence ended too early.
    `matched` has the element that each of the tokens before was matched by, None for one that
    was passed over. `wanted` are the atoms that could have come, first the one that was due;
    none where the pattern is at its end. `element` is the element that was due.
    """

    scene: Scene
    elements: tuple[str, ...]
    tokens: tuple[Token, ...]
    at: int
    matched: tuple[int | None, ...]
    wanted: tuple[Atom, ...]
    element: int
    named: frozenset[str]
    """All verbs, calls or segments that the elements name."""

    @property
    def sign(self) -> Sign | None:
        """What came instead; None where nothing did."""
        return self.tokens[self.at].sign if self.at < len(self.tokens) else None

    @property
    def real(self) -> str:
        """The verb or segment that came instead, empty where nothing did."""
        return self.sign.verb if self.sign else ""

    @property
    def call(self) -> Call | None:
        """The call that came instead."""
        event = self.tokens[self.at].event if self.at < len(self.tokens) else None
        return event if isinstance(event, Call) else None

    @property
    def errno(self) -> str:
        """The errno of the call that came instead, empty where it has none."""
        return str(self.sign.result) if self.sign and self.sign.failed else ""

    @property
    def due(self) -> str:
        """The verb or segment that should have come first, empty at the pattern's end."""
        return verb(self.wanted[0].name) if self.wanted else ""

    def wants(self, *words: str) -> bool:
        """Return whether one of these verbs or segments could have come."""
        return any(atom.name in words or verb(atom.name) in words for atom in self.wanted)

    def earlier(self, *words: str) -> bool:
        """Return whether one of these came before, with success."""
        return any(
            token.sign.verb in words and not token.sign.failed for token in self.tokens[: self.at]
        )

    def later(self, *words: str) -> bool:
        """Return whether one of these came afterwards, with any result."""
        return any(token.sign.verb in words for token in self.tokens[self.at + 1 :])

    def hung(self, *words: str) -> bool:
        """Return whether one of these calls never returned; also where a signal ended it for good.

        Then strace has an errno for it that no program ever sees (ERESTARTSYS).
        """
        calls = self.scene.calls
        cut = calls and (calls[-1].errno or "").startswith("ERESTART")
        hanging = [call for call in calls if call.result is None] + ([calls[-1]] if cut else [])
        return any(verb(call.name) in words for call in hanging)

    def is_icmp(self) -> bool:
        return self.real == "icmp" or self.real in ICMP


def first_difference(
    automaton: Automaton[Sign],
    elements: tuple[str, ...],
    tokens: Sequence[Token],
    scene: Scene,
) -> Difference | None:
    """Return where the tokens leave the automaton's elements, None where they match."""
    signs = [token.sign for token in tokens]
    at, state = automaton.run(signs)
    if at == len(signs) and automaton.ends(state):
        return None
    path, state = automaton.path(signs[:at])
    expected = automaton.expected(state)
    last = next((position for position in reversed(path) if position is not None), 0)
    ahead = [p for p in expected if p > last] + [p for p in expected if p <= last]
    wanted = [atom for p in ahead if (atom := automaton.atoms[p]) is not None]
    return Difference(
        scene,
        elements,
        tuple(tokens),
        at,
        tuple(automaton.element[p] if p is not None else None for p in path),
        tuple(wanted),
        automaton.element[ahead[0]] if ahead else len(elements),
        frozenset(atom.name for atom in automaton.atoms if atom is not None),
    )
