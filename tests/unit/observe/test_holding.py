"""The agent's hold on a process, on this machine's kernel: it ends only after it may."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

AGENT = Path(__file__).parents[3] / "images/observer/agent"
PATIENCE = 20.0


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import the agent's module, as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    before = set(sys.modules)
    yield importlib.import_module("holding")
    for name in set(sys.modules) - before:
        if str(AGENT) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def child() -> Iterator[tuple[int, Callable[[int], object]]]:
    """A process that ends with the code that it is told; its number, and how to tell it."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writes)
        os._exit(os.read(reads, 1)[0])
    os.close(reads)
    yield pid, lambda code: os.write(writes, bytes([code]))
    os.close(writes)


def state(pid: int) -> str:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # also between its opening and reading
        return "gone"
    return stat.rpartition(") ")[2][0]


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("how", ["exit", "signal"])
def test_a_process_stays_until_all_is_written(
    holding: Any,
    child: tuple[int, Callable[[int], object]],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    pid, end = child
    monkeypatch.setattr(holding, "FIRST", pid)
    monkeypatch.setattr(holding, "is_init", lambda: True)
    told: list[int] = []
    came, may_go = threading.Event(), threading.Event()

    def at_end(status: int) -> None:
        told.append(status)
        came.set()
        may_go.wait(PATIENCE)

    hold = holding.Hold(at_end)
    assert hold.refusal is None
    assert state(pid) in "SR"
    os.kill(pid, signal.SIGCHLD)  # harmless; it passes through the hold
    assert not came.is_set()
    if how == "exit":
        end(3)
    else:
        os.kill(pid, signal.SIGTERM)
    assert came.wait(PATIENCE)
    assert state(pid) == "t"
    may_go.set()
    until(lambda: state(pid) == "gone")
    assert told == [3 << 8 if how == "exit" else signal.SIGTERM]


def test_what_is_no_init_is_left_to_strace(holding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "FIRST", os.getpid())
    assert holding.Hold(lambda status: None).refusal == "the host has no init"
