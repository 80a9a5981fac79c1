"""Matches what a host did on each of its connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labctl.sequence.connection import Connection, Side
from labctl.sequence.pattern.automaton import Automaton
from labctl.sequence.pattern.calls import CallReader
from labctl.sequence.pattern.difference import Difference, Scene, first_difference
from labctl.sequence.pattern.groups import Groups
from labctl.sequence.pattern.missed import Missed, without_first
from labctl.sequence.pattern.model import Elements, Pattern
from labctl.sequence.pattern.select import is_active, role_of, side_of
from labctl.sequence.pattern.signs import Sign, asks_call
from labctl.sequence.pattern.strays import Strays
from labctl.sequence.pattern.syntax import atoms, text
from labctl.sequence.pattern.verdict import Failure
from labctl.sequence.verbs import verb

_PASSIVE = frozenset({"listen", "accept"})


def judge_host(
    host: str,
    elements: Elements,
    pattern: Pattern,
    connections: Sequence[Connection],
    strays: Strays,
    missed: Missed,
    zero: int,
    failing: set[int],
) -> list[Failure]:
    """Return what a host did otherwise than its elements say, alike failures as one.

    Where it had no part in any connection, the socket that it most probably meant is
    matched instead, because a server must do right also when nobody can reach it.
    """
    judge = _Judge(host, elements, pattern, strays, missed)
    groups = Groups(failing)
    seen = 0
    for connection in connections:
        side = side_of(connection, host, elements)
        if side is None:
            continue
        seen += 1
        difference = judge.connection(connection, side)
        if difference is not None:
            groups.add_difference(host, difference, connection, zero)
    if not seen and pattern.least:
        difference = judge.alone()
        if difference is not None:
            groups.add_difference(host, difference, None, zero)
        elif connections:
            sentence = f"{host} had no part in any of the connections."
            groups.add(host, Failure(host, sentence, zero=zero))
    return groups.failures()


class _Wanted:
    """The elements that an end must match."""

    def __init__(self, elements: Elements) -> None:
        self._texts = tuple(map(text, elements))
        self._automaton: Automaton[Sign] = Automaton(elements, asks_call)
        self._reader = CallReader(atom for node in elements for atom in atoms(node))
        self._good: set[tuple[Sign, ...]] = set()

    def difference(self, scene: Scene) -> Difference | None:
        """Return the first difference of a scene's calls, None where they match."""
        tokens = self._reader.tokens(scene.calls, scene.outcome) if scene.calls else []
        shape = tuple(token.sign for token in tokens)
        if shape in self._good:
            return None
        difference = first_difference(self._automaton, self._texts, tokens, scene)
        if difference is None:
            self._good.add(shape)
        return difference


class _Judge:
    """Matches one end after the other against one host's elements; equal ones only once."""

    def __init__(
        self, host: str, elements: Elements, pattern: Pattern, strays: Strays, missed: Missed
    ) -> None:
        self._host, self._pattern, self._strays = host, pattern, strays
        self._elements, self._missed = elements, missed
        self._whole = _Wanted(elements)
        self._left: dict[Elements, _Wanted] = {}
        self._stray_ones: dict[tuple[str, str, int | None], Difference | None] = {}

    def connection(self, connection: Connection, side: Side) -> Difference | None:
        """Return the first difference at this end of a connection, None where it matches."""
        role = role_of(connection, side)
        scene = Scene(self._host, role, connection.protocol, connection, side, side.calls)
        if not side.calls:
            return self._without_calls(scene)
        return self._difference(scene)

    def _difference(self, scene: Scene) -> Difference | None:
        """Return the first difference from the elements; from what is left of them where the
        first calls were missed."""
        if not self._missed.first_calls(scene.side):
            return self._whole.difference(scene)
        left = without_first(self._elements, scene.calls)
        if left not in self._left:
            self._left[left] = _Wanted(left)
        return self._left[left].difference(scene)

    def alone(self) -> Difference | None:
        """Return the first difference of the socket that had no connection."""
        protocol = self._pattern.protocol or "tcp"
        return self._stray(Scene(self._host, "", protocol), self._pattern.port)

    def _without_calls(self, scene: Scene) -> Difference | None:
        """Judge an end of which only segments were seen: the port had no socket, or it was
        never accepted."""
        empty = self._difference(replace(scene, calls=()))
        if empty is None or scene.side is None:
            return empty
        endpoint = scene.side.endpoint if scene.role == "server" else None
        return self._stray(scene, endpoint.port if endpoint else None)

    def _stray(self, scene: Scene, port: int | None) -> Difference | None:
        key = (scene.role, scene.protocol, port)
        if key not in self._stray_ones:
            self._stray_ones[key] = self._of_stray(scene, port)
        found = self._stray_ones[key]
        if found is None:
            return None
        return replace(found, scene=replace(found.scene, connection=scene.connection))

    def _of_stray(self, scene: Scene, port: int | None) -> Difference | None:
        side = self._strays.side(self._host, scene.protocol, port)
        calls = side.calls if side else ()
        role = scene.role or ("client" if self._is_client(side) else "server")
        return self._difference(replace(scene, role=role, side=side, calls=calls))

    def _is_client(self, side: Side | None) -> bool:
        """Return whether a host without a connection is meant to be a client."""
        if is_active(self._elements):
            return True
        named = {verb(atom.name) for node in self._elements for atom in atoms(node)}
        verbs = {verb(call.name) for call in side.calls} if side else set()
        return not named & {*_PASSIVE, "bind"} and "bind" not in verbs
