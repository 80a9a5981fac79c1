"""Every rule is in docs/diagnoses.md, and every name there is a rule's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from labctl.sequence.diagnose.diagnosis import Rule

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs/diagnoses.md").read_text()
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE))
TESTS = "".join(
    file.read_text() for file in sorted(Path(__file__).parent.glob("test_*.py"))
)  # this one names no rule


def test_the_list_is_complete() -> None:
    assert sorted(SECTIONS) == sorted(get_args(Rule))


@pytest.mark.parametrize("rule", get_args(Rule))
def test_each_says_what_it_sees_what_it_means_and_what_to_do(rule: str) -> None:
    assert re.findall(r"^- \*\*(.*?):\*\*", SECTIONS[rule], re.MULTILINE) == ["Sees", "Means", "Do"]


@pytest.mark.parametrize("rule", get_args(Rule))
def test_each_is_tested(rule: str) -> None:
    assert re.search(rf'only\([^"]*"{rule}"\)', TESTS)
