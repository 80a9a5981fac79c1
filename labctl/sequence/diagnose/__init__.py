"""What went wrong, or only looks so: rules that find it in a timeline and say it in plain words.

docs/diagnoses.md has every rule by its name. Each is a function in `rules`, which yields what
it finds in the tables of `Facts`; all take time in proportion to the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from labctl.sequence.collecting import no_collection
from labctl.sequence.diagnose.diagnosis import Diagnosis, Finding, merged
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.proof import is_proved
from labctl.sequence.diagnose.rules.backlog import backlog_overflow
from labctl.sequence.diagnose.rules.bind_failed import bind_failed
from labctl.sequence.diagnose.rules.bound import bound_already
from labctl.sequence.diagnose.rules.broken_pipe import broken_pipe
from labctl.sequence.diagnose.rules.connect_again import connect_again
from labctl.sequence.diagnose.rules.deadlock import waiting
from labctl.sequence.diagnose.rules.exhausted import no_descriptors_left
from labctl.sequence.diagnose.rules.fixed_port import client_bound_fixed_port
from labctl.sequence.diagnose.rules.handshake import handshake_before_accept
from labctl.sequence.diagnose.rules.in_use import address_in_use
from labctl.sequence.diagnose.rules.leaks import descriptor_leak
from labctl.sequence.diagnose.rules.no_port_left import no_port_left
from labctl.sequence.diagnose.rules.partial import short_read, short_write
from labctl.sequence.diagnose.rules.queued import listen_never_accept, one_at_a_time
from labctl.sequence.diagnose.rules.refused import refused
from labctl.sequence.diagnose.rules.resets import resets
from labctl.sequence.diagnose.rules.unreachable import port_unreachable
from labctl.sequence.diagnose.rules.unreached import unreached
from labctl.sequence.diagnose.rules.zombies import zombie
from labctl.sequence.gaps import Gaps

if TYPE_CHECKING:
    from labctl.sequence.timeline import Timeline

__all__ = ["Diagnosis", "diagnose"]

_RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    refused,
    port_unreachable,
    unreached,
    connect_again,
    address_in_use,
    bind_failed,
    no_port_left,
    bound_already,
    client_bound_fixed_port,
    handshake_before_accept,
    backlog_overflow,
    listen_never_accept,
    one_at_a_time,
    waiting,
    short_read,
    short_write,
    resets,
    broken_pipe,
    descriptor_leak,
    no_descriptors_left,
    zombie,
)


def diagnose(timeline: Timeline) -> tuple[Diagnosis, ...]:
    """Return what all rules find in a timeline, sorted by time; what happened often is said once.

    Of a timeline in which nothing is remarkable that is nothing. Nothing is said either that rests
    on what was not seen, where a notice tells that some was missed (proof.py).
    """
    with no_collection():
        facts = Facts(timeline)
        findings = (finding for rule in _RULES for finding in rule(facts))
        gaps = Gaps(timeline.recording.notices)
        if not gaps:
            return merged(findings)
        connections = {connection.id: connection for connection in timeline.connections}
        return merged(found for found in findings if is_proved(found, gaps, connections))
