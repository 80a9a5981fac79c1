"""Taking down what keeps coming back: an end, and an error that says what remains."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.engine import down
from labctl.engine.client import Engine
from labctl.errors import EngineError


class Api:
    """An engine with a volume that is there each time one looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def containers(self, **_: Any) -> list[Any]:
        return []

    def networks(self, **_: Any) -> list[Any]:
        return []

    def volumes(self, **_: Any) -> dict[str, Any]:
        self.looks -= 1
        return {"Volumes": [{"Name": "v", "Labels": {}}] if self.looks >= 0 else []}

    def remove_volume(self, name: str) -> None:
        """Pretend."""

    def info(self) -> dict[str, Any]:
        return {"NCPU": 1}


class Sdk:
    def __init__(self, looks: int) -> None:
        self.api = Api(looks)
        self.info = self.api.info


def test_it_looks_until_nothing_is_there() -> None:
    engine = Engine(Sdk(3), "unix:///none")  # type: ignore[arg-type]
    assert down.remove_all(engine, "lab").volumes == 3


def test_what_keeps_coming_back_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "_TIMEOUT", 0.05)
    engine = Engine(Sdk(10**9), "unix:///none")  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="of lab lab there remain: v"):
        down.remove_all(engine, "lab")


def test_a_removal_that_took_long_is_none_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "_TIMEOUT", -1.0)
    engine = Engine(Sdk(1), "unix:///none")  # type: ignore[arg-type]
    assert down.remove_all(engine, "lab").volumes == 1
