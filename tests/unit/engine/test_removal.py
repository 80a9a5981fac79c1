"""Insisting on a removal: until it succeeds, the thing is gone, or the time is over."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from docker.errors import APIError, NotFound

from labctl.engine import removal
from labctl.engine.removal import insist
from labctl.errors import EngineError


class Refusing:
    """Refuses some times, then removes."""

    def __init__(self, times: int, last: Exception | None = None) -> None:
        self.calls = 0
        self._times = times
        self._last = last

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self._times:
            raise APIError("no", explanation="has active endpoints")
        if self._last is not None:
            raise self._last


@pytest.mark.parametrize("last", [None, NotFound("gone")])
def test_a_refusal_is_tried_again(last: Exception | None) -> None:
    remove = Refusing(2, last)
    insist(remove, "network n", "", time.monotonic() + 30)
    assert remove.calls == 3


def test_at_the_deadline_the_engines_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(
        removal, "time", SimpleNamespace(sleep=naps.append, monotonic=lambda: sum(naps))
    )
    remove = Refusing(1000)
    with pytest.raises(EngineError, match="remove network n: has active endpoints") as error:
        insist(remove, "network n", "look at it", 0.1)
    assert error.value.hint == "look at it"
    assert 2 <= remove.calls < 1000
