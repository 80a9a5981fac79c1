"""Which host waits for which while a lab comes up."""

from __future__ import annotations

import pytest

from labctl.engine.holdups import Holdup, Holdups, Standing

DONE = "service_completed_successfully"
NEW, UP = Standing("created", "Created"), Standing("running", "Up 3 seconds")
CHAIN = {
    "db": {},
    "init": {"db": {"condition": "service_healthy"}},
    "app": {"init": {"condition": DONE}},
}


@pytest.mark.parametrize(
    ("standing", "condition", "meets"),
    [
        (NEW, "service_started", False),
        (UP, "service_started", True),
        (UP, "service_healthy", False),
        (Standing("running", "Up 3 seconds (unhealthy)"), "service_healthy", False),
        (Standing("running", "Up 3 seconds (healthy)"), "service_healthy", True),
        (UP, DONE, False),
        (Standing("exited", "Exited (0) 2 seconds ago"), DONE, True),
        (Standing("exited", "Exited (10) 2 seconds ago"), DONE, False),
    ],
)
def test_what_meets_a_condition(standing: Standing, condition: str, meets: bool) -> None:
    assert standing.meets(condition) is meets


def test_the_first_of_a_chain_is_named() -> None:
    holdups = Holdups(CHAIN)
    standings = {"db": UP, "init": NEW, "app": NEW}
    assert holdups.held(standings, 10.0) is None
    held = holdups.held(standings, 17.0)
    assert held == (Holdup("init", "db", "service_healthy"), 7.0)
    assert str(held[0]) == (
        "it waits for host db (depends_on: service_healthy), which is not healthy"
    )


def test_what_moves_is_given_its_time_anew() -> None:
    holdups = Holdups(CHAIN)
    holdups.held({"db": UP, "init": NEW, "app": NEW}, 10.0)
    later = {"db": Standing("running", "Up 9 seconds (healthy)"), "init": UP, "app": NEW}
    assert holdups.held(later, 20.0) is None
    assert holdups.held(later, 21.0) == (Holdup("app", "init", DONE), 1.0)
    flaps = {**later, "db": UP}
    assert holdups.held(flaps, 22.0) == (Holdup("app", "init", DONE), 2.0)
    assert holdups.held(later, 23.0) == (Holdup("app", "init", DONE), 3.0)


def test_while_a_host_can_be_started_nothing_is_held_up() -> None:
    holdups = Holdups({**CHAIN, "free": {}})
    standings = {"db": UP, "init": NEW, "app": NEW, "free": NEW}
    assert holdups.held(standings, 1.0) is None
    assert holdups.held(standings, 99.0) is None
    assert holdups.held({"db": UP, "init": UP, "app": UP, "free": UP}, 100.0) is None
    assert holdups.held({"db": UP, "init": UP, "app": UP, "free": UP}, 200.0) is None
