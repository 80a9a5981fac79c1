"""Honest recordings: no rule finds anything wrong in them, and none takes long over many."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.sequence.diagnose import diagnose
from labctl.sequence.timeline import Timeline
from tests.unit.sequence.diagnose.found import found, rules
from tests.unit.sequence.exchanges import datagrams, exchange
from tests.unit.sequence.work import work

SERVERS: list[dict[str, Any]] = [{}, {"subordinates": True}, {"threads": True}]
CASES: list[dict[str, Any]] = [
    {},
    {"told": False},
    {"pieces": 3},
    {"reply": 1_000_000, "pieces": 50},
    {"address": "127.0.0.1", "listen_on": "127.0.0.1:80"},
]


@pytest.mark.parametrize("connections", [1, 5, 100])
@pytest.mark.parametrize("how", CASES, ids=str)
@pytest.mark.parametrize("server", SERVERS, ids=str)
def test_nothing_is_wrong_in_an_honest_exchange(
    connections: int, how: dict[str, Any], server: dict[str, Any]
) -> None:
    recording = exchange(connections, **server, **how)
    assert not rules(recording), [str(one) for one in found(recording)]


@pytest.mark.parametrize("count", [1, 5, 100])
@pytest.mark.parametrize("how", [{}, {"told": False}, {"answered": False}], ids=str)
def test_nothing_is_remarkable_in_datagrams(count: int, how: dict[str, Any]) -> None:
    assert not found(datagrams(count, **how))


@pytest.mark.parametrize("server", SERVERS[:2], ids=str)
def test_three_times_as_many_connections_are_about_three_times_the_work(
    server: dict[str, Any],
) -> None:
    """Of a quadratic rule it would be nine times."""

    def needed(connections: int) -> int:
        timeline = Timeline.of(exchange(connections, **server))
        return work(lambda: diagnose(timeline))

    needed(3)  # what is only done once in a process is done
    assert needed(120) < 4.5 * needed(40)
