"""Matches the segments of each connection."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.sequence.connection import Connection
from labctl.sequence.pattern import wire
from labctl.sequence.pattern.automaton import Automaton
from labctl.sequence.pattern.difference import WIRE, Scene, first_difference
from labctl.sequence.pattern.groups import Groups
from labctl.sequence.pattern.model import Elements
from labctl.sequence.pattern.signs import Sign, asks_segment
from labctl.sequence.pattern.syntax import text
from labctl.sequence.pattern.verdict import Failure


def judge_wire(
    elements: Elements, connections: Sequence[Connection], zero: int, failing: set[int]
) -> list[Failure]:
    """Return where the segments of connections are otherwise than wanted, alike ones as one."""
    automaton: Automaton[Sign] = Automaton(elements, asks_segment, lambda sign: sign.free)
    texts = tuple(map(text, elements))
    good: set[tuple[Sign, ...]] = set()
    groups = Groups(failing)
    for connection in connections:
        tokens = wire.tokens(connection)
        shape = tuple(token.sign for token in tokens)
        if shape in good:
            continue
        scene = Scene(WIRE, WIRE, connection.protocol, connection)
        difference = first_difference(automaton, texts, tokens, scene)
        if difference is None:
            good.add(shape)
        else:
            groups.add_difference(WIRE, difference, connection, zero)
    return groups.failures()
