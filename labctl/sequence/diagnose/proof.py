"""Which findings rest on something that never happened: none where it may only not be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.diagnosis import Finding, Rule
from labctl.sequence.gaps import Gaps

_OWN: frozenset[Rule] = frozenset(
    (
        "backlog-overflow",
        "descriptor-leak",
        "listen-never-accept",
        "one-at-a-time",
        "rst-after-close",
        "rst-unread",
        "short-read",
        "short-write",
        "time-wait",
        "zombie",
    )
)
"""What says that a program on the finding's host did not call something, or not in time."""

_BOTH: frozenset[Rule] = frozenset(
    (
        "deadlock",
        "port-unreachable",
        "refused-closed",
        "refused-listen-later",
        "refused-nobody",
        "refused-not-listening",
        "refused-other-port",
        "refused-own-host",
        "waits-for-close",
    )
)
"""What says the same of programs at both ends."""

_NO_PACKET: frozenset[Rule] = frozenset(("no-answer",))


def is_proved(finding: Finding, gaps: Gaps, connections: Mapping[int, Connection]) -> bool:
    """Return whether all that a finding rests on was observed; `connections` are by their `id`."""
    if finding.rule in _NO_PACKET:
        return not gaps.packets
    if finding.rule in _OWN:
        return finding.host is None or not gaps.calls(finding.host)
    if finding.rule in _BOTH:
        return not any(map(gaps.calls, _hosts(finding, connections)))
    return True


def _hosts(finding: Finding, connections: Mapping[int, Connection]) -> Iterator[str]:
    """The hosts whose calls a finding is about; some more than once."""
    for number in finding.connections:
        for side in connections[number].sides:
            if side.host is not None:
                yield side.host
    if finding.host is not None:
        yield finding.host
