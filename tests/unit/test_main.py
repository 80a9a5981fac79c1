"""The command line as a whole: its commands, its errors, its exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from labctl.cli import main
from labctl.errors import (
    CheckFailed,
    EngineError,
    HostFailed,
    LabctlError,
    LabFileError,
    MachineError,
    Problem,
    UsageError,
)


def labctl(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "labctl", *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", main.MODULES)
def test_each_module_registers_the_commands_it_is_listed_with(module: str) -> None:
    app = typer.Typer()
    importlib.import_module(f"labctl.cli.{module}").register(app)
    names = [c.name or c.callback.__name__ for c in app.registered_commands if c.callback]
    names += [str(group.name) for group in app.registered_groups]
    assert sorted(names) == sorted(main.MODULES[module])


def test_a_command_loads_its_own_module_only() -> None:
    assert main.needed(["labctl", "ps"]) == ["down"]
    assert main.needed(["labctl"]) == main.needed(["labctl", "--help"]) == main.MODULES


def test_help_lists_every_command() -> None:
    done = labctl("--help", COLUMNS="200")
    assert done.returncode == 0
    for command in (c for commands in main.MODULES.values() for c in commands):
        assert f" {command} " in done.stdout
    assert "Exit codes: 0 done, 1 a check failed" in done.stdout


@pytest.mark.parametrize(
    "args", [("no-such-command",), ("up", "--no-such-option"), ("up", "--timeout", "soon")]
)
def test_wrong_usage_ends_with_2(args: tuple[str, ...]) -> None:
    done = labctl(*args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_error_is_two_lines_and_its_exit_code() -> None:
    done = labctl("ps", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: no Docker engine is running at unix:///nonexistent")
    assert lines[1].startswith("  hint: Start it")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailed, 1),
        (UsageError, 2),
        (LabFileError, 2),
        (LabctlError, 3),
        (MachineError, 3),
        (EngineError, 3),
        (HostFailed, 3),
    ],
)
def test_the_class_of_an_error_has_its_exit_code(error: type[LabctlError], code: int) -> None:
    assert error.exit_code == code


def test_a_full_disk_is_the_machines_fault(tmp_path: Path) -> None:
    told = main._fault(OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "packets")))
    assert isinstance(told, MachineError)
    assert "a disk is full" in told.message
    assert "packets" in told.message
    assert "TMPDIR" in told.hint


def test_a_lab_file_error_tells_all_its_problems() -> None:
    problems = [Problem(Path("c.yaml"), line, 3, f"wrong {line}", "mend") for line in (1, 2)]
    assert LabFileError(problems).message == "c.yaml:1:3: wrong 1\nc.yaml:2:3: wrong 2"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell: str) -> None:
    told = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # there is no shell above us
    script = labctl("--show-completion", shell, **told)
    assert script.returncode == 0
    assert "_LABCTL_COMPLETE" in script.stdout
    env = {
        "_LABCTL_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "labctl do",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "labctl do",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    offered = labctl(**env).stdout
    assert "down" in offered
    assert "doctor" in offered
