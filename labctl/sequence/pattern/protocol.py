"""Which protocol a pattern means that doesn't say it."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.sequence.pattern import elements as words
from labctl.sequence.pattern.model import Elements, Instant
from labctl.sequence.pattern.syntax import atoms

_OPENING = frozenset({"listen", "accept", "accept4", "connect"})


def meant(
    hosts: Mapping[str, Elements],
    wire: Elements | None,
    before: tuple[tuple[Instant, Instant], ...],
) -> str | None:
    """Return the protocol that a pattern means without saying so.

    Segments of only one protocol tell it; otherwise calls do: only TCP has listen and accept,
    and who names none of them nor connect means UDP.
    """
    segments = [atom for node in wire or () for atom in atoms(node)]
    segments += [i.atom for pair in before for i in pair if not i.of_call]
    calls = [atom for nodes in hosts.values() for node in nodes for atom in atoms(node)]
    if any(map(words.is_tcp, segments)):
        return "tcp"
    if any(map(words.is_datagram, segments)):
        return "udp"
    if not calls:
        return None
    return "tcp" if any(atom.name in _OPENING for atom in calls) else "udp"
