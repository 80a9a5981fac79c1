"""Writing lab files into a folder of their own and loading them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labctl.errors import LabFileError, Problem
from labctl.lab.lab import Lab
from labctl.lab.load import load

Write = Callable[[str], Path]
LoadText = Callable[[str], Lab]
ProblemsOf = Callable[[str], list[Problem]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "mylab"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def write(here: Path) -> Write:
    def write_text(text: str) -> Path:
        path = here / "compose.yaml"
        path.write_text(text, "utf-8")
        return path

    return write_text


@pytest.fixture
def load_text(write: Write) -> LoadText:
    return lambda text: load(write(text))


@pytest.fixture
def problems_of(load_text: LoadText) -> ProblemsOf:
    def problems(text: str) -> list[Problem]:
        with pytest.raises(LabFileError) as caught:
            load_text(text)
        return caught.value.problems

    return problems
