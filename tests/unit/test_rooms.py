"""The rooms of labctl import only from rooms above them; only the engine room knows Docker."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import labctl

PACKAGE = Path(labctl.__file__).parent
ROOMS = (
    "errors",
    "sequence",
    "lab",
    "link",
    "engine",
    "observe",
    "play",
    "show",
    "cli",
    "pytest_plugin",
    "__main__",
)
"""From the top down: what stands later may import what stands earlier."""

ENGINE_ONLY = ("docker", "requests", "urllib3")
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.parts)


def room(module: str) -> str:
    return module.removeprefix("labctl.").partition(".")[0]


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in ("labctl", "labctl.engine", "labctl.lab"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_go_up_only(file: Path) -> None:
    own = file.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "__init__":
        assert not list(imports(file))
        return
    for module in imports(file):
        if module.startswith("labctl."):
            assert ROOMS.index(room(module)) <= ROOMS.index(own), f"{own} imports {module}"
        elif own != "engine":
            assert module.partition(".")[0] not in ENGINE_ONLY, f"{own} talks to {module}"


@pytest.mark.parametrize(
    "file", [f for f in FILES if "sequence" in f.parts], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_what_judges_events_needs_nothing_but_python(file: Path) -> None:
    for module in imports(file):
        top = module.partition(".")[0]
        if top == "labctl":
            assert room(module) in ("errors", "sequence"), f"sequence imports {module}"
        else:
            assert top in sys.stdlib_module_names, f"sequence imports {module}"
