"""The agent takes what is traced out of pipes into a file of limited size, in whole lines."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

AGENT = Path(__file__).parents[4] / "images/observer/agent"
LINE = b"x" * 99 + b"\n"
OURS = 1 << 14


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The agent's module, imported as the agent does, by its name alone."""
    monkeypatch.syspath_prepend(str(AGENT))
    yield importlib.import_module("tracefs_drain")
    del sys.modules["tracefs_drain"]


def drained(module: Any, file: Path, lines: int, most: int) -> tuple[bytes, str | None, list[bool]]:
    """Return the file, why it was cut, and whether it was told, of lines that come at once."""
    cut: list[bool] = []
    drain = module.Drain(file, most, lambda: cut.append(True))
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    drain.take_from(reading, lambda: 1.0)
    os.write(writing, LINE * lines)
    drain.start()
    drain.finish()
    drain.close()
    os.close(writing)
    return file.read_bytes(), drain.cut, cut


def test_all_lines_are_written_where_they_fit(module: Any, tmp_path: Path) -> None:
    written, cut, told = drained(module, tmp_path / "trace", 300, OURS + 300 * len(LINE))
    assert (written, cut, told) == (LINE * 300, None, [])


@pytest.mark.parametrize("over", [1, 50, 99])
def test_as_many_whole_lines_as_fit_also_of_one_large_block(
    module: Any, tmp_path: Path, over: int
) -> None:
    most = OURS + 301 * len(LINE) - over
    written, cut, told = drained(module, tmp_path / "trace", 400, most)
    assert written == LINE * 300
    assert cut == f"more than {most} bytes were traced"
    assert told == [True]
