"""Fixtures of the tests that need a Docker engine; without one they fail, never skip."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import down
from labctl.engine.client import Engine, connect
from labctl.engine.labels import NAME

from . import preloaded

HOST_IMAGE = "labctl-host"


@dataclass(frozen=True)
class Ran:
    """How a `labctl` command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(*args: str) -> list[str]:
    """Return the argv of a labctl command, run by this Python."""
    return [sys.executable, "-m", "labctl", *args]


def labctl(*args: str, cwd: Path | None = None, **env: str) -> Ran:
    """Run a labctl command to its end, without a terminal."""
    return Ran(*preloaded.run(args, cwd, {**os.environ, **env}, timeout=300.0))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine under test."""
    return connect()


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    """A name no other lab has; whatever is up under it at the end is removed."""
    fresh = f"t{secrets.token_hex(4)}"
    yield fresh
    down.down(engine, fresh)


def things(engine: Engine, name: str) -> list[str]:
    """Return what the engine has under a lab's name: containers, networks, volumes."""
    wanted = {"label": f"{NAME}={name}"}
    api = engine.sdk.api
    return [
        *(c["Names"][0] for c in api.containers(all=True, filters=wanted)),
        *(n["Name"] for n in api.networks(filters=wanted)),
        *(v["Name"] for v in api.volumes(filters=wanted).get("Volumes") or []),
    ]


HEAD = """\
name: {lab}
x-lab: {{title: a lab of a test}}
x-host: &host
  image: labctl-host
  user: "1000:1000"
  cap_drop: [ALL]
  init: true
  networks: [lan]
networks: {{lan: {{internal: true}}}}
services:
"""

WriteLab = Callable[..., Path]


@pytest.fixture
def write_lab(tmp_path: Path) -> WriteLab:
    """Write a lab file from its services (YAML); each may begin with `<<: *host`."""

    def write(services: str, head: str = HEAD) -> Path:
        folder = tmp_path / f"lab{secrets.token_hex(3)}"
        folder.mkdir()
        body = "".join(f"  {line}\n" if line else "\n" for line in services.strip().splitlines())
        file = folder / "compose.yaml"
        file.write_text(head.format(lab=folder.name) + body)
        return file

    return write
