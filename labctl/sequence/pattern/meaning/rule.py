"""A rule: when it holds for a first difference, and the sentence that it then gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from labctl.sequence.pattern.difference import Difference

ENDED = ""
"""What came instead where nothing came any more."""


class Rule(NamedTuple):
    """`says` may name {who} (the host), {peer}, {call}, {errno} and {due}."""

    when: Callable[[Difference], bool]
    says: str


def first(rules: Iterable[Rule], difference: Difference) -> str | None:
    """Return the sentence of the first rule that holds, None where none does."""
    for rule in rules:
        if rule.when(difference):
            return filled(rule.says, difference)
    return None


def filled(says: str, difference: Difference) -> str:
    """Return a sentence with its names filled in."""
    call = difference.call
    return says.format(
        who=difference.scene.subject,
        peer=peer(difference),
        call=call.name if call else difference.real,
        errno=difference.errno,
        due=difference.due,
    )


def peer(difference: Difference) -> str:
    """Return the host at the other end, or else what it is."""
    scene = difference.scene
    other = "client" if scene.role == "server" else "server"
    if scene.connection is None or scene.side is None:
        return f"the {other}"
    end = scene.connection.client if scene.role == "server" else scene.connection.server
    return end.host or f"the {other}"


def instead(wanted: str, *real: str) -> Callable[[Difference], bool]:
    """Return a condition: one verb could have come, and another one, or the end, came."""
    return lambda d: d.wants(wanted) and d.real in real and not d.wants(d.real)
