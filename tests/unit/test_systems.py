"""docs/systems.md: every system of the textbook has a lab that names it and tests that prove it."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from labctl.lab.load import load
from labctl.lab.places import data_root

ROOT = data_root()
TABLE = ROOT / "docs" / "systems.md"
ROW = re.compile(
    r"^\| (?P<id>[A-Z]\d+) \| (?P<what>[^|]+) \| (?P<labs>[^|]*) \| (?P<tests>[^|]+) \|$"
)
LAB = re.compile(r"\[([a-z0-9-]+)\]\((\.\./[^)]*README\.md)\)")
TEST = re.compile(r"`((?:labs|tests)/[\w/.-]+\.py)::(test_\w+)`")
SYSTEMS = {*(f"A{number}" for number in range(1, 12)), "B1", "B2", "B3", "C1"}


def rows() -> dict[str, re.Match[str]]:
    found = [match for line in TABLE.read_text().splitlines() if (match := ROW.match(line))]
    assert len({match["id"] for match in found}) == len(found), "an id stands there twice"
    return {match["id"]: match for match in found}


@functools.cache
def claimed() -> dict[str, set[str]]:
    """Return for each system the labs whose x-lab names it."""
    by_system: dict[str, set[str]] = {}
    for file in [*ROOT.glob("labs/*/compose.yaml"), ROOT / "compose.yaml"]:
        lab = load(file)
        for system in lab.x.systems:
            by_system.setdefault(system, set()).add(lab.name)
    return by_system


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_system_has_its_row() -> None:
    assert set(rows()) == SYSTEMS


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_the_labs_of_a_row_are_those_that_name_it(system: str) -> None:
    linked = LAB.findall(rows()[system]["labs"])
    assert {name for name, _ in linked} == claimed().get(system, set())
    assert all((TABLE.parent / path).is_file() for _, path in linked)


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_the_tests_of_a_row_are_there(system: str) -> None:
    tests = TEST.findall(rows()[system]["tests"])
    assert tests
    for file, name in tests:
        assert name in functions(ROOT / file), f"{file} has no {name}"
