from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import LabFileError, UsageError
from labctl.play import verify
from labctl.play.verify import of_each, with_tests

HOSTS = """\
services: {a: {image: labctl-host, networks: [lan]}}
networks: {lan: {internal: true}}
"""
LAB = "x-lab: {title: a lab}\n" + HOSTS


def lab(folder: Path, *tests: str) -> Path:
    folder.mkdir()
    (folder / "compose.yaml").write_text(LAB)
    for name in tests:
        (folder / name).touch()
    return folder / "compose.yaml"


def lab_tests(file: Path) -> verify.Tests:
    (found,), without = of_each([file])
    assert without == []
    return found


def test_the_file_is_named_after_the_lab(tmp_path: Path) -> None:
    found = lab_tests(lab(tmp_path / "web", "test_web.py", "test_other.py"))
    assert (found.lab, found.file) == ("web", tmp_path / "web" / "test_web.py")


def test_a_dash_may_be_an_underscore(tmp_path: Path) -> None:
    found = lab_tests(lab(tmp_path / "my-web", "test_my_web.py"))
    assert (found.lab, found.file.name) == ("my-web", "test_my_web.py")


def test_a_lab_without_tests(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no test_web\.py beside"):
        lab_tests(lab(tmp_path / "web", "test_other.py"))


def test_of_all_labs_those_that_have_tests(tmp_path: Path) -> None:
    files = [lab(tmp_path / "one"), lab(tmp_path / "two", "test_two.py")]
    assert [tests.lab for tests in with_tests(files)] == ["two"]
    with pytest.raises(UsageError, match="no lab known here has tests"):
        with_tests(files[:1])


def test_a_wrong_lab_file_is_not_passed_over(tmp_path: Path) -> None:
    file = lab(tmp_path / "web")
    file.write_text("x-lab: {}\n" + HOSTS)
    with pytest.raises(LabFileError):
        with_tests([file])


def test_a_lab_without_tests_keeps_no_other_from_its_own(tmp_path: Path) -> None:
    files = [lab(tmp_path / "one"), lab(tmp_path / "two", "test_two.py"), lab(tmp_path / "three")]
    found, without = of_each(files)
    assert [tests.lab for tests in found] == ["two"]
    assert [(one.lab, one.tests) for one in without] == [("one", 0), ("three", 0)]
    assert "there is no test_three.py beside" in without[1].error
    with pytest.raises(UsageError, match=r"lab one has no tests.*\nlab three has no tests"):
        of_each([files[0], files[2]])
