"""Finding labs by name, folder and file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labctl.errors import UsageError
from labctl.lab import discover
from labctl.lab.places import data_root

LAB = "x-lab: {title: t}\nservices: {a: {network_mode: none}}\n"


def make(path: Path, text: str = LAB) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_a_name_it_is_the_file_in_the_folder(here: Path) -> None:
    file = make(here / "compose.yaml")
    assert discover.find(None, here) == file


def test_without_a_name_and_file_the_hint_lists_labs(here: Path) -> None:
    with pytest.raises(UsageError, match=r"no compose\.yaml in the current folder") as caught:
        discover.find(None, here)
    assert "default" in caught.value.hint
    assert "tcp" in caught.value.hint


@pytest.mark.parametrize("given", ["labs/one", "labs/one/compose.yaml", "./labs/one/", "one"])
def test_a_lab_by_name_folder_or_file(here: Path, given: str) -> None:
    file = make(here / "labs" / "one" / "compose.yaml")
    assert discover.find(given, here).resolve() == file


def test_a_folder_of_the_current_one_by_name(here: Path) -> None:
    file = make(here / "two" / "compose.yml")
    assert discover.find("two", here) == file


def test_labs_of_labctl_by_name(here: Path) -> None:
    assert discover.find("default", here) == data_root() / "compose.yaml"
    assert discover.find("tcp", here) == data_root() / "labs" / "tcp" / "compose.yaml"


def test_a_lab_here_wins_over_one_of_labctl(here: Path) -> None:
    file = make(here / "labs" / "tcp" / "compose.yaml")
    assert discover.find("tcp", here) == file


def test_absolute_path_from_anywhere(here: Path, tmp_path: Path) -> None:
    file = make(tmp_path / "elsewhere" / "compose.yaml")
    assert discover.find(str(file.parent), here) == file


def test_unknown_lab_is_told_with_the_nearest(here: Path) -> None:
    with pytest.raises(UsageError, match="there is no lab `napstr`") as caught:
        discover.find("napstr", here)
    assert caught.value.hint == "did you mean `napster`?"
    assert caught.value.exit_code == 2


def test_unknown_lab_like_no_other_is_told_with_all(here: Path) -> None:
    with pytest.raises(UsageError) as caught:
        discover.find("qqqqqq", here)
    assert caught.value.hint.startswith("labs: default, ")


def test_folder_without_a_lab(here: Path) -> None:
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no compose\.yaml in empty"):
        discover.find("empty", here)


def test_list_holds_broken_labs_with_their_first_problem(here: Path) -> None:
    make(here / "labs" / "bad" / "compose.yaml", "x-lab: {}\nservices: {a: {network_mode: none}}\n")
    make(here / "labs" / "good" / "compose.yaml")
    found = {one.name: one for one in discover.labs(here)}
    assert found["bad"].lab is None
    assert found["bad"].problem == "labs/bad/compose.yaml:1:1: `title` is missing in x-lab"
    assert found["good"].lab is not None
    assert found["good"].problem is None
    assert found["default"].lab is not None


def test_labs_with_a_place_in_a_course_come_last_and_in_its_order(here: Path) -> None:
    for name, course in (("late", "course: 20, "), ("early", "course: 10, "), ("mine", "")):
        text = f"x-lab: {{{course}title: x}}\nservices: {{a: {{network_mode: none}}}}\n"
        make(here / "labs" / name / "compose.yaml", text)
    order = [one.name for one in discover.labs(here)]
    assert order[0] == "mine"
    assert order.index("default") < order.index("early") < order.index("late")


def test_ordinary_compose_files_are_no_labs(here: Path) -> None:
    make(here / "web" / "compose.yaml", "services: {web: {image: web}}\n")
    assert "web" not in discover.known(here)


def test_in_the_project_each_lab_is_listed_once() -> None:
    paths = [path.resolve() for path in discover.known(data_root()).values()]
    assert len(paths) == len(set(paths))


def of_others(monkeypatch: pytest.MonkeyPatch, *theirs: Path) -> None:
    """Let these files and folders belong to another ordinary user."""
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = list(real(path))
        if path in theirs:
            found[4] = os.getuid() + 1
        return os.stat_result(found)

    monkeypatch.setattr(Path, "lstat", lstat)


@pytest.mark.parametrize("whose", ["tcp/compose.yaml", "tcp"])
def test_a_lab_of_somebody_else_takes_no_name(
    here: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    file = make(here / "tcp" / "compose.yaml")
    of_others(monkeypatch, here / whose)
    assert discover.find("tcp", here) == data_root() / "labs" / "tcp" / "compose.yaml"
    assert file not in discover.known(here).values()
    assert discover.find("./tcp", here).resolve() == file


def test_nor_does_one_in_a_folder_of_labs_of_somebody_else(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make(here / "labs" / "tcp" / "compose.yaml")
    of_others(monkeypatch, here / "labs")
    assert file not in discover.known(here).values()
    assert discover.find("labs/tcp", here).resolve() == file


def test_a_folder_that_cannot_be_looked_into_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    is_file = Path.is_file

    def refusing(self: Path) -> bool:
        if self.parent.name == "closed":
            raise PermissionError(13, "Permission denied", str(self))
        return is_file(self)

    monkeypatch.setattr(Path, "is_file", refusing)
    assert "closed" not in discover.known(tmp_path)
