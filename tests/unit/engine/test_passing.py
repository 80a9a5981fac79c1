"""A container that passes is removed, whenever an interrupt comes."""

from __future__ import annotations

import signal
from typing import Any, cast

import pytest

from labctl.engine.client import Engine
from labctl.engine.passing import passing


class Api:
    """The part of the engine that removes; each call may be interrupted before it is done."""

    def __init__(self, interrupt: bool) -> None:
        self.sdk = self.api = self
        self.removed: list[tuple[str, dict[str, Any]]] = []
        self._interrupt = interrupt

    def remove_container(self, container: str, **how: Any) -> None:
        if self._interrupt:
            signal.raise_signal(signal.SIGINT)
        self.removed.append((container, how))


REMOVED = [("made", {"v": True, "force": True})]


def interrupted() -> str:
    signal.raise_signal(signal.SIGINT)
    return "made"


def test_an_interrupt_while_it_is_made_comes_when_it_can_be_removed() -> None:
    api = Api(interrupt=False)
    with pytest.raises(KeyboardInterrupt), passing(cast(Engine, api), interrupted):
        pytest.fail("it went on")
    assert api.removed == REMOVED


def test_an_interrupt_while_it_is_removed_comes_after_that() -> None:
    api = Api(interrupt=True)
    with pytest.raises(KeyboardInterrupt), passing(cast(Engine, api), lambda: "made"):
        pass
    assert api.removed == REMOVED


def test_what_cannot_be_made_is_not_removed() -> None:
    api = Api(interrupt=False)
    with pytest.raises(ZeroDivisionError), passing(cast(Engine, api), lambda: str(1 // 0)):
        pytest.fail("it went on")
    assert api.removed == []
