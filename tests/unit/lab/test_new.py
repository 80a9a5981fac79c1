"""A lab made from each template is right, and nothing is left of one that cannot be made."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from labctl.errors import UsageError
from labctl.lab import new as making
from labctl.lab import schema
from labctl.lab.load import load


@pytest.mark.parametrize("template", making.templates())
def test_made_lab_is_right_and_stands_alone(here: Path, template: str) -> None:
    made = making.new(here / "my-lab", template)
    assert [path.name for path in made] == [
        "README.md",
        "compose.yaml",
        "lab.schema.json",
        "test_my-lab.py",
    ]
    lab = load(here / "my-lab" / "compose.yaml")
    assert lab.name == "my-lab"
    assert "download" in lab.x.scenarios
    text = (here / "my-lab" / "compose.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=lab.schema.json\n")
    assert "extends" not in text
    assert (here / "my-lab" / "lab.schema.json").read_text() == schema.text()
    tests = ast.parse((here / "my-lab" / "test_my-lab.py").read_text())
    assert any(isinstance(node, ast.FunctionDef) for node in tests.body)
    assert not any("LABNAME" in path.read_text() for path in made)


def test_only_the_lab_itself_is_made_and_others_may_read_it(here: Path) -> None:
    making.new(here / "one")
    assert [path.name for path in here.iterdir()] == ["one"]
    (here / "ordinary").mkdir()
    assert (here / "one").stat().st_mode == (here / "ordinary").stat().st_mode


@pytest.mark.parametrize("name", ["", "My", "a b", "-x", "a/..", "ä", "x" * 41, "a.b"])
def test_bad_names_are_refused(here: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a lab") as caught:
        making.new(here / "sub" / name if name else Path())
    assert "small letters" in caught.value.hint
    assert list(here.iterdir()) == []


def test_existing_folder_is_refused(here: Path) -> None:
    (here / "there").mkdir()
    with pytest.raises(UsageError, match="there is already there"):
        making.new(here / "there")
    assert list((here / "there").iterdir()) == []


def test_unknown_template_is_told_with_the_nearest(here: Path) -> None:
    with pytest.raises(UsageError, match="no template `tpc`") as caught:
        making.new(here / "x", "tpc")
    assert caught.value.hint == "did you mean `tcp`?"


def test_folder_that_cannot_be_made(here: Path) -> None:
    with pytest.raises(UsageError, match="cannot make no/such: No such file"):
        making.new(here / "no" / "such")
    (here / "file").write_text("")
    with pytest.raises(UsageError, match="Not a directory"):
        making.new(here / "file" / "such")
