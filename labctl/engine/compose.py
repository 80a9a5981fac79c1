"""Runs `docker compose`: it reads lab files and makes and starts their hosts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labctl.engine.client import Engine
from labctl.errors import MachineError, UsageError

OLDEST = (2, 20)
"""The oldest Compose whose `config` and `up` do what labctl asks for."""

_LOOK_EVERY = 0.5


def read(engine: Engine, file: Path) -> dict[str, Any]:
    """Return what Compose reads in the file: extends and variables resolved.

    Raises UsageError with Compose's words when it refuses the file, MachineError when
    Compose v2 is not there.
    """
    argv = ["docker", "compose", "-f", str(file), "config", "--format", "json"]
    done = _run(engine, argv)
    if done.returncode != 0:
        require(engine)
        raise UsageError(f"{file}: Compose refuses it: {_last(done.stderr)}", "Mend the file.")
    project: dict[str, Any] = json.loads(done.stdout)
    return project


def _run(engine: Engine, argv: Sequence[str], given: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            env=engine.env,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise no_client() from error


def no_client() -> MachineError:
    """Return the error for a machine without the `docker` command."""
    return MachineError(
        "the `docker` command is not installed",
        "Install Docker; on Debian and Ubuntu `make setup` does it.",
    )


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"


def version(engine: Engine) -> tuple[int, ...] | None:
    """Return Compose's version, or None where `docker compose` is missing or tells none."""
    done = _run(engine, ["docker", "compose", "version", "--short"])
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout) if done.returncode == 0 else None
    return tuple(int(part) for part in match.groups() if part) if match else None


def require(engine: Engine) -> None:
    """Raise MachineError unless Compose is there and new enough."""
    found = version(engine)
    if found is None:
        raise MachineError(
            "Docker Compose v2 is missing (`docker compose version` does not work)",
            "Install the Compose plugin; on Debian and Ubuntu `make setup` does it. The older "
            "`docker-compose` v1 is not enough.",
        )
    if found < OLDEST:
        raise MachineError(
            f"Docker Compose {'.'.join(map(str, found))} is too old",
            f"labctl needs {'.'.join(map(str, OLDEST))} or newer: update the Compose plugin.",
        )


class Up:
    """A running `docker compose up` for a project.

    It goes on when this process is killed. `lock` is a descriptor that the child
    holds open too, so that the lock on the lab's name lasts until nothing works on it.
    """

    def __init__(self, engine: Engine, project: dict[str, Any], lock: int) -> None:
        argv = [*_alone(project["name"]), "up", "--detach", "--no-build", "--pull", "never"]
        try:
            self._child = subprocess.Popen(
                argv,
                env={"COMPOSE_PARALLEL_LIMIT": str(engine.at_once), **engine.env},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=(lock,),
                start_new_session=True,  # a Ctrl-C on the terminal is ours to handle
            )
        except FileNotFoundError as error:
            raise no_client() from error
        self._project = json.dumps(project)

    def wait(self, meanwhile: Callable[[], None] | None = None) -> str | None:
        """Return None when all hosts were started, otherwise Compose's last words.

        `meanwhile` is called every half second; what it raises ends the wait.
        """
        given: str | None = self._project
        while True:
            try:
                _, said = self._child.communicate(given, timeout=meanwhile and _LOOK_EVERY)
            except subprocess.TimeoutExpired:
                given = None  # it goes on with what it was given first
                if meanwhile is not None:
                    meanwhile()
            else:
                return None if self._child.returncode == 0 else _last(said)

    def stop(self, timeout: float = 10.0) -> None:
        """End it; return when it is gone."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()


def _alone(name: str) -> list[str]:
    """Return the start of a command that takes its project from standard input only.

    A .env in the current folder could otherwise rename the project.
    """
    return ["docker", "compose", "--ansi", "never", "--env-file", os.devnull, "-p", name, "-f", "-"]


def build(engine: Engine, project: dict[str, Any], what: str) -> None:
    """Build the images of a project's services; `what` names them in an error.

    Raises MachineError with the last lines of the build when it fails.
    """
    done = _run(engine, [*_alone(project["name"]), "build"], json.dumps(project))
    if done.returncode != 0:
        require(engine)
        tail = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-15:])
        raise MachineError(
            f"{what} cannot be built:\n{tail}",
            "Mend its Dockerfile, or what the last lines name.",
        )
