"""The docker command, the engine, and the plugins of the command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence

from labctl.engine.compose import OLDEST
from labctl.engine.doctor.model import Check, Fix, Look, Machine, State
from labctl.lab.places import data_root

_PATIENCE = 10.0
_NO_LOCK_UP = (1, 42)
"""The API of Docker Engine 23.0, whose networking no longer takes two locks in either order."""
_NO_COMMAND = "there is no docker command"


def docker_command(_machine: Machine) -> list[Check]:
    """Look for the docker command; labctl runs Compose through it."""
    name = "docker command"
    path = shutil.which("docker")
    if path is None:
        return [
            Check(
                name,
                State.FAILED,
                "not in PATH",
                "labs are brought up by `docker compose`",
                _set_up("Install Docker", "sudo apt-get install docker.io"),
            )
        ]
    said = _said(["docker", "--version"])
    if said is None:
        fix = _set_up("Install Docker again", "sudo apt-get install --reinstall docker.io")
        return [Check(name, State.FAILED, f"{path} does not work", fix=fix)]
    return [Check(name, State.OK, f"{said}, {path}")]


def engine(machine: Machine) -> list[Check]:
    """Tell the engine that was reached, or why none was."""
    trouble = machine.trouble
    if trouble is not None:
        fix = Fix(trouble.hint) if trouble.hint else None
        return [Check("engine", State.FAILED, trouble.message, "no lab can come up", fix)]
    reached = machine.reached
    version = reached.sdk.version()
    found = f"Docker {version['Version']}, API {version['ApiVersion']}, at {reached.address}"
    if tuple(map(int, version["ApiVersion"].split("."))) < _NO_LOCK_UP:
        means = "many containers that end at once can make it hang (moby/moby#42545), seldom"
        fix = Fix("Update to Docker Engine 23.0 or newer; if `docker ps` hangs, restart it")
        return [Check("engine", State.WARNING, found, means, fix)]
    return [Check("engine", State.OK, found)]


def compose(_machine: Machine) -> list[Check]:
    """Look for Compose v2, and that it is new enough."""
    name, oldest = "Compose", ".".join(map(str, OLDEST))
    if shutil.which("docker") is None:
        return [Check(name, State.NOT_CHECKED, _NO_COMMAND)]
    fix = _set_up("Install the Compose plugin", "sudo apt-get install docker-compose-v2")
    said = _said(["docker", "compose", "version", "--short"])
    version = _version(said)
    if version is None:
        found = "`docker compose` does not work"
        if shutil.which("docker-compose"):
            found += "; there is a docker-compose command, but labctl needs the plugin"
        return [Check(name, State.FAILED, found, f"labctl needs Compose {oldest} or newer", fix)]
    if version < OLDEST:
        found, means = f"{said} is too old", f"labctl needs {oldest} or newer"
        return [Check(name, State.FAILED, found, means, fix)]
    return [Check(name, State.OK, str(said))]


def buildx(_machine: Machine) -> list[Check]:
    """Look for BuildKit's plugin; images are built without it too, only slower."""
    name = "BuildKit"
    if shutil.which("docker") is None:
        return [Check(name, State.NOT_CHECKED, _NO_COMMAND)]
    said = _said(["docker", "buildx", "version"])
    if said is None:
        return [
            Check(
                name,
                State.WARNING,
                "`docker buildx` does not work",
                "images are built by the engine's older builder, which takes longer",
                _set_up("Install the buildx plugin", "sudo apt-get install docker-buildx"),
            )
        ]
    return [Check(name, State.OK, said)]


def _set_up(what: str, package: str) -> Fix:
    checkout = (data_root() / "scripts" / "setup").is_file()
    return Fix(what, f"make -C {data_root()} setup" if checkout else package)


def _said(argv: Sequence[str]) -> str | None:
    """Return the first line that a command prints, or None when it fails or hangs."""
    try:
        done = subprocess.run(
            argv,
            env=os.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


def _version(said: str | None) -> tuple[int, ...] | None:
    match = re.match(r"v?(\d+)\.(\d+)", said or "")
    return tuple(map(int, match.groups())) if match else None


LOOKS = (
    Look(("docker command",), docker_command, needs_engine=False),
    Look(("engine",), engine, needs_engine=False),
    Look(("Compose",), compose, needs_engine=False),
    Look(("BuildKit",), buildx, needs_engine=False),
)
