"""Containers that labctl makes for one question leave nothing, not even their volumes."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from labctl.engine import down, labels, live
from labctl.engine.apart import run_apart
from labctl.engine.client import Engine
from labctl.engine.gates import put_gates
from labctl.engine.images.build import ensure
from labctl.engine.inside import Done

from .conftest import things


@pytest.fixture
def foreign(engine: Engine) -> Iterator[str]:
    """An image with an anonymous volume, which labctl did not make."""
    dockerfile = f"FROM {ensure(engine, ['host'])['host']}\nVOLUME /data\n"
    tag = f"foreign-{secrets.token_hex(4)}:latest"
    engine.sdk.images.build(fileobj=io.BytesIO(dockerfile.encode()), tag=tag, rm=True)
    yield tag
    engine.sdk.images.remove(tag, force=True)


@pytest.fixture
def empty(engine: Engine) -> Iterator[str]:
    """The same without any file, so without a shell."""
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w").close()
    tag = f"foreign-{secrets.token_hex(4)}"
    engine.sdk.api.import_image_from_data(archive.getvalue(), tag, "latest", ["VOLUME /data"])
    yield f"{tag}:latest"
    engine.sdk.images.remove(f"{tag}:latest", force=True)


class Made:
    """Which containers were made since, and which anonymous volumes came with them."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine = engine
        self.containers: list[str] = []
        self.volumes: list[str] = []
        real: Any = engine.sdk.api.create_container_from_config

        def create(*args: Any, **kwargs: Any) -> Any:
            made = real(*args, **kwargs)
            self.containers.append(made["Id"])
            mounts = engine.sdk.api.inspect_container(made["Id"])["Mounts"]
            self.volumes += [mount["Name"] for mount in mounts if mount["Type"] == "volume"]
            return made

        monkeypatch.setattr(engine.sdk.api, "create_container_from_config", create)

    def require_gone(self) -> None:
        assert self.containers
        assert self.volumes
        for container in self.containers:
            with pytest.raises(NotFound):
                self._engine.sdk.api.inspect_container(container)
        for volume in self.volumes:
            with pytest.raises(NotFound):
                self._engine.sdk.api.inspect_volume(volume)


@pytest.fixture
def made(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Made:
    return Made(engine, monkeypatch)


def gates(engine: Engine, name: str, image: str) -> list[str]:
    """Return which hosts of a lab whose only host has that image can have no gate."""
    project = {"name": name, "services": {"a": {"image": image, "command": ["true"]}}}
    return put_gates(engine, project, lambda host: "mark")[1]


def test_looking_into_an_image_leaves_nothing(
    engine: Engine, name: str, foreign: str, made: Made
) -> None:
    assert gates(engine, name, foreign) == []
    made.require_gone()


def test_looking_into_an_image_without_a_shell_leaves_nothing(
    engine: Engine, name: str, empty: str, made: Made
) -> None:
    assert gates(engine, name, empty) == ["a"]
    made.require_gone()


def test_what_a_killed_look_into_an_image_left_is_found_by_its_label(
    engine: Engine, name: str, foreign: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(engine.sdk.api, "remove_container", lambda *args, **kwargs: None)
        gates(engine, name, foreign)
    assert len(things(engine, name)) == 1
    (lab,) = (lab for lab in live.labs(engine) if lab.name == name)
    assert (lab.state, lab.hosts) == (live.State.LEFT_OVER, ())
    assert down.down_left_over(engine, name) is not None  # as `clean` does
    made.require_gone()


def test_a_command_beside_a_host_leaves_nothing(
    engine: Engine, name: str, foreign: str, made: Made
) -> None:
    origin = labels.Origin(name, "t", Path("/nowhere/compose.yaml"))
    host = engine.sdk.containers.run(
        foreign,
        ["sleep", "inf"],
        name=f"{name}-a",
        labels=labels.for_host(origin, "a"),
        network_mode="none",
        detach=True,
    )
    done: Done = run_apart(engine, live.find(engine, name).host("a"), ["echo", "there"], 20.0)
    assert (done.code, done.stdout) == (0, b"there\n")
    host.remove(v=True, force=True)
    made.require_gone()
