"""The agent leaves a trace in the kernel's buffers while it fits, and loses none of it."""

from __future__ import annotations

import fcntl
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

AGENT = Path(__file__).parents[4] / "images/observer/agent"
DEADLINE = 10.0
ROOM = 1 << 20


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The agent's module, imported as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    module = importlib.import_module("tracefs_drain")
    monkeypatch.setattr(module, "PAUSE", 0.001)
    yield module
    del sys.modules["tracefs_drain"]


class Buffer:
    """A pipe in the place of the kernel's; tells how often it was asked how full it is."""

    def __init__(self) -> None:
        self.end, self._write = os.pipe2(os.O_NONBLOCK)
        self.room = fcntl.fcntl(self._write, fcntl.F_SETPIPE_SZ, ROOM)
        self.looks = 0
        self.full = 0.0
        self.put: Callable[[bytes], int] = lambda data: os.write(self._write, data)

    def filled(self) -> float:
        self.looks += 1
        return self.full


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def started(drain: Any, file: Path, *buffers: Buffer, max_bytes: int = 1 << 20) -> Any:
    cut = threading.Event()
    made = drain.Drain(file, max_bytes, cut.set)
    for buffer in buffers:
        made.take_from(buffer.end, buffer.filled)
    made.start()
    return made


def looked(buffer: Buffer) -> None:
    """Wait until the drain has looked twice more: whatever it does then is done."""
    before = buffer.looks
    wait_for(lambda: buffer.looks >= before + 2)


def test_nothing_is_read_while_there_is_room(drain: Any, tmp_path: Path) -> None:
    buffer = Buffer()
    made = started(drain, tmp_path / "trace", buffer)
    buffer.put(b"one\ntwo\n")
    buffer.full = drain.FULL - 0.01
    looked(buffer)
    assert (tmp_path / "trace").read_bytes() == b""
    made.finish()
    made.close()
    assert (tmp_path / "trace").read_bytes() == b"one\ntwo\n"


def test_a_buffer_that_fills_up_is_emptied_and_the_others_are_not(
    drain: Any, tmp_path: Path
) -> None:
    filling, idle = Buffer(), Buffer()
    made = started(drain, tmp_path / "trace", filling, idle)
    filling.put(b"one\nhalf")
    idle.put(b"later\n")
    filling.full = drain.FULL
    wait_for(lambda: (tmp_path / "trace").read_bytes() == b"one\n")
    filling.put(b" a line\n")
    made.finish()
    made.close()
    written = (tmp_path / "trace").read_bytes().splitlines()
    assert sorted(written) == [b"half a line", b"later", b"one"]


def test_a_trace_beyond_its_bound_is_cut_at_the_end_too(drain: Any, tmp_path: Path) -> None:
    buffer = Buffer()
    bound = 100_000
    made = started(drain, tmp_path / "trace", buffer, max_bytes=bound)
    buffer.put(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 2000)
    made.finish()
    made.close()
    assert made.cut == f"more than {bound} bytes were traced"
    assert made.written == (tmp_path / "trace").stat().st_size < bound
