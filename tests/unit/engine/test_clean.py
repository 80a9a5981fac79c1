"""Which labs `labctl clean` waits for."""

from __future__ import annotations

from typing import Any, cast

import pytest

from labctl.engine import clean as room
from labctl.engine import live, locks
from labctl.engine.client import Engine
from labctl.engine.live import LiveLab, State


def lab(name: str, state: State) -> LiveLab:
    return cast(LiveLab, _Lab(name, state))


class _Lab:
    def __init__(self, name: str, state: State) -> None:
        self.name, self.state = name, state


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[list[LiveLab]]:
    """What each look at the engine finds, the last one again and again."""
    found: list[list[LiveLab]] = []

    def look(_engine: Engine) -> list[LiveLab]:
        return found.pop(0) if len(found) > 1 else found[0]

    def nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(live, "labs", look)
    for name in ("clean_kernel", "remove_unowned", "superseded", "remove"):
        monkeypatch.setattr(room, name, nothing)
    monkeypatch.setattr(locks, "discard_all", nothing)
    return found


def cleaned() -> room.Cleaned:
    return room.clean(cast(Engine, None), everything=False, images=False, note=lambda _: None)


def test_a_lab_that_was_coming_up_is_waited_for(looks: list[list[LiveLab]]) -> None:
    looks += [[lab("a", State.COMING)], [lab("a", State.COMING)], [lab("a", State.READY)]]
    assert cleaned().left_alone == []
    assert len(looks) == 1


def test_one_that_begins_to_come_up_meanwhile_is_not(looks: list[list[LiveLab]]) -> None:
    looks += [[lab("a", State.COMING)], [lab("a", State.READY), lab("b", State.COMING)]]
    assert cleaned().left_alone == []


def test_one_that_does_not_end_is_left_alone(
    looks: list[list[LiveLab]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PATIENCE", 0.0)
    looks += [[lab("a", State.COMING)]]
    assert cleaned().left_alone == ["a"]
