"""Which scenario of which lab `run` plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import LabFileError, UsageError
from labctl.lab.load import load
from labctl.play import choose
from labctl.play.choose import scenario_of

HOSTS = """\
services: {a: {image: labctl-host, networks: [lan]}}
networks: {lan: {internal: true}}
"""
SCENARIO = "{steps: [{host: a, run: 'true'}]}"


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "x-lab:\n  title: a lab\n  scenarios: {"
    text += ", ".join(f"{name}: {SCENARIO}" for name in names)
    (folder / "compose.yaml").write_text(f"{text}}}\n{HOSTS}")
    return folder / "compose.yaml"


def test_without_a_name_the_only_one(tmp_path: Path) -> None:
    assert scenario_of(load(write(tmp_path / "x", "one")), None)[0] == "one"


@pytest.mark.parametrize(
    ("names", "asked", "message", "hint"),
    [
        ([], None, "lab x has no scenario", "Write one"),
        (["one", "two"], None, "lab x has several scenarios: one, two", "Name"),
        (["one", "two"], "onne", "lab x has no scenario `onne`", "did you mean `one`?"),
        (["one", "two"], "zzzz", "lab x has no scenario `zzzz`", "scenarios: one, two"),
    ],
)
def test_no_single_answer(
    tmp_path: Path, names: list[str], asked: str | None, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        scenario_of(load(write(tmp_path / "x", *names)), asked)
    assert hint in caught.value.hint


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is a lab, with two more labs in it."""
    folder = tmp_path / "here"
    write(folder, "demo", "shared")
    write(folder / "labs" / "other", "first", "second")
    write(folder / "labs" / "shared", "unwanted")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("lab", "word", "chosen"),
    [
        (None, "demo", ("here", "demo")),
        (None, "other", ("other", "first")),
        (None, "shared", ("here", "shared")),
        ("other", "second", ("other", "second")),
        ("shared", None, ("shared", "unwanted")),
    ],
)
def test_the_lab_to_bring_up(
    here: Path, lab: str | None, word: str | None, chosen: tuple[str, str]
) -> None:
    model, scenario = choose.chosen(lab, word, here)
    assert (model.name, scenario) == chosen


def test_a_path_is_a_lab_too(here: Path) -> None:
    model, scenario = choose.chosen(None, "labs/shared", here)
    assert (model.name, scenario) == ("shared", "unwanted")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("demoo", "did you mean `demo`?"),
        ("othr", "did you mean `other`?"),
        ("zzzz", "scenarios: demo, shared; labs: "),
    ],
)
def test_a_word_that_is_neither_scenario_nor_lab(here: Path, word: str, hint: str) -> None:
    said = f"lab here has no scenario `{word}`, and there is no lab of that name"
    with pytest.raises(UsageError, match=said) as caught:
        choose.chosen(None, word, here)
    assert caught.value.hint.startswith(hint)


def test_a_word_that_is_no_lab_where_no_lab_is(tmp_path: Path) -> None:
    write(tmp_path / "labs" / "other", "first")
    with pytest.raises(UsageError, match="there is no lab `othr`") as caught:
        choose.chosen(None, "othr", tmp_path)
    assert caught.value.hint == "did you mean `other`?"
    with pytest.raises(UsageError, match="there is no lab `zz/zz`"):
        choose.chosen(None, "zz/zz", tmp_path)


def test_a_wrong_lab_here_is_told_unless_the_word_names_another(here: Path) -> None:
    (here / "compose.yaml").write_text("x-lab: {titel: a lab}\n")
    with pytest.raises(LabFileError, match="titel"):
        choose.chosen(None, "demo", here)
    assert choose.chosen(None, "other", here)[1] == "first"


def test_the_first_of_several_where_that_is_the_rule(here: Path) -> None:
    with pytest.raises(UsageError, match="several scenarios"):
        choose.chosen(None, None, here)
    assert choose.chosen(None, None, here, first=True)[1] == "demo"
    assert choose.chosen("other", None, here, first=True)[1] == "first"
    with pytest.raises(UsageError, match="no scenario"):
        scenario_of(load(write(here / "empty")), None, first=True)
