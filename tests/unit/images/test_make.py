"""The Makefile's own targets, with programs of the test's own in place of labctl."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from labctl.lab.places import data_root

MAKEFILE = data_root() / "Makefile"

pytestmark = pytest.mark.skipif(
    not (MAKEFILE.is_file() and shutil.which("make")), reason="needs a checkout, and make"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout whose set-up does nothing and whose labctl prints its arguments."""
    shutil.copy(MAKEFILE, tmp_path)
    program(tmp_path / "scripts" / "setup", "exit 0")
    program(tmp_path / ".venv" / "bin" / "labctl", 'printf "%s\\n" "$@"')
    return tmp_path


def program(file: Path, script: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def make(project: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    # These tests may themselves run under make, which tells its children so.
    ours = ("FILE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        ["make", *words],
        cwd=project,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["my file", "a$b", "$(id)", "`id`", 'say "hi"', "it's", "a;b#c"])
def test_any_name_of_a_file_comes_through(project: Path, name: str) -> None:
    for done in (make(project, "demo", f"FILE={name}"), make(project, "demo", FILE=name)):
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["demo", "--file", name]


def test_without_a_file_the_demo_has_its_own(project: Path) -> None:
    assert make(project, "demo").stdout.splitlines() == ["demo"]


def test_clean_goes_on_when_the_engine_is_down(project: Path) -> None:
    program(project / ".venv" / "bin" / "labctl", "echo no engine >&2; exit 3")
    done = make(project, "clean")
    assert done.returncode == 0
    assert "no engine" in done.stderr
    assert "still there" in done.stderr
    assert not (project / ".venv").exists()
