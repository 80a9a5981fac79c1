"""When a command has ended: what it wrote is there then, unless others hold its output open."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from labctl.engine import running
from labctl.engine.client import Engine
from labctl.engine.live import LiveHost
from labctl.engine.output import Output
from labctl.engine.running import Running

PATIENCE = 30.0
HOST = LiveHost("h", "try", "try-h", "1f", "labctl-host", "running", "Up", {})


class Ended:
    """An engine whose command has ended when it is first looked at."""

    def __init__(self) -> None:
        self.looked = threading.Event()
        self.sdk = SimpleNamespace(api=self)

    def exec_create(self, *_: object, **__: object) -> dict[str, str]:
        return {"Id": "e"}

    def exec_inspect(self, _: str) -> dict[str, Any]:
        self.looked.set()
        return {"Running": False, "ExitCode": 3}


def test_what_is_on_its_way_when_it_has_ended_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def written(engine: Ended, _: str) -> Iterator[tuple[bytes, bytes]]:
        yield b"first ", b"7\n"
        assert engine.looked.wait(PATIENCE)
        time.sleep(0.1)
        yield b"last", b""

    monkeypatch.setattr(running, "Written", written)
    monkeypatch.setattr(running, "_LAST_WORDS", PATIENCE)
    output = Output()
    command = Running(cast(Engine, Ended()), HOST, ["it"], {}, output)
    assert command.wait(PATIENCE)
    assert (command.code, output.stdout.text) == (3, "first last")


def test_who_holds_its_output_open_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    before = threading.enumerate()

    def written(_: Ended, __: str) -> Iterator[tuple[bytes, bytes]]:
        yield b"", b"7\n"
        over.wait(PATIENCE)

    monkeypatch.setattr(running, "Written", written)
    monkeypatch.setattr(running, "_LAST_WORDS", 0.0)
    command = Running(cast(Engine, Ended()), HOST, ["it"], {}, Output())
    assert command.wait(PATIENCE)
    assert (command.code, over.is_set()) == (3, False)
    took = command.seconds
    over.set()
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(PATIENCE)
    assert command.seconds == took
