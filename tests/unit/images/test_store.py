"""Which images a plain `labctl clean` takes, and when it leaves all alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError

from labctl.engine import foreign
from labctl.engine.client import Engine
from labctl.engine.images import base, build, inputs, recipe, roads, store
from labctl.engine.images.inputs import BUILT, LABEL_IMAGE, Image
from labctl.engine.images.space import SpaceWatch
from labctl.engine.locks import held
from labctl.errors import EngineError, MachineError
from labctl.lab.places import data_root

BASE = Image("base", data_root() / "images" / "base", "0123456789ab")


def entry(key: str, name: str, *tags: str) -> dict[str, Any]:
    told = {"Id": key, "Labels": {LABEL_IMAGE: name}, "RepoTags": list(tags)}
    return {**told, "Size": 1, "Created": 1}


class Images:
    """An engine's images, as its API tells and removes them."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.entries = list(entries)
        self.removed: list[str] = []

    def list(self, **_how: Any) -> list[dict[str, Any]]:
        return self.entries

    @property
    def engine(self) -> Engine:
        sdk = SimpleNamespace(
            api=SimpleNamespace(images=self.list),
            images=SimpleNamespace(remove=self.removed.append),
        )
        return cast(Engine, SimpleNamespace(sdk=sdk, id=f"test-{id(self)}"))


def test_what_is_replaced() -> None:
    now = inputs.images(data_root())
    there = Images(
        entry("now", "host", now["host"].tag),
        entry("old", "host", "labctl-host:0"),
        entry("stage", "host-stage"),
        entry("other version", "observer", "labctl-observer:0", "labctl-observer:latest"),
        entry("of a lab", BUILT, "labctl-built-web-server:latest"),
        entry("of a lab, built anew since", BUILT),
        entry("with a name of its own", BUILT, "server:1"),
    )
    assert {one.id for one in store.superseded(there.engine)} == {"old", "stage"}
    assert len(store.stored(there.engine)) == len(there.entries)


def test_what_somebody_made_from_an_image_is_theirs() -> None:
    """It inherits the labels (Dockerfile reference, LABEL)."""
    there = Images(entry("theirs", "host", "my-server:1"), entry("like", "host", "labctl-host2:1"))
    assert store.stored(there.engine) == []


def test_what_is_built_for_a_lab_says_so_and_keeps_its_labels() -> None:
    part = {"context": "/lab", "labels": {"a": "b", LABEL_IMAGE: "host"}}
    assert foreign.labelled(part) == {**part, "labels": {"a": "b", LABEL_IMAGE: BUILT}}
    assert foreign.labelled({"context": "/lab"})["labels"] == {LABEL_IMAGE: BUILT}


def test_images_are_removed_by_all_their_tags() -> None:
    there = Images(entry("old", "host", "labctl-host:0", "x:1"), entry("stage", "host-stage"))
    engine = there.engine
    assert store.remove(engine, store.stored(engine)) == store.stored(engine)
    assert there.removed == ["labctl-host:0", "x:1", "stage"]


def test_while_images_are_built_all_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.0)
    there = Images(entry("stage", "host-stage"))
    engine = there.engine
    with held(build.lock(engine), "the test", 1.0):
        assert store.remove(engine, store.stored(engine)) == []
    assert there.removed == []
    assert store.remove(engine, store.stored(engine))


def test_an_image_that_has_got_a_tag_meanwhile_stays() -> None:
    there = Images(entry("old", "host", "labctl-host:0"))
    engine = there.engine
    listed = store.superseded(engine)
    there.entries = [entry("old", "host", "labctl-host:0", "labctl-host:latest")]
    assert store.remove(engine, listed) == []
    assert there.removed == []


# --- an engine that goes away


class Gone:
    """The SDK of an engine that has gone: every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, _name: str) -> Gone:
        return self

    def __call__(self, *_args: Any, **_named: Any) -> None:
        raise self.error


CALLS: dict[str, Callable[[Engine], object]] = {
    "ensure": lambda engine: build.ensure(engine, ["host"]),
    "base": lambda engine: base.make_base(engine, BASE, print),
    "present": lambda engine: roads.present(engine, BASE),
    "architecture": roads._engine_architecture,
    "space": SpaceWatch,
    "stored": store.stored,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error", [requests.ConnectionError("gone"), APIError("500")], ids=["gone", "refuses"]
)
def test_an_engine_that_goes_away_is_told(call: str, error: Exception) -> None:
    engine = cast(Engine, SimpleNamespace(sdk=Gone(error), id="gone", env={}, local=True))
    with pytest.raises(EngineError) as caught:
        CALLS[call](engine)
    assert caught.value.hint


def test_without_a_docker_command_it_is_said(tmp_path: Path) -> None:
    engine = cast(Engine, SimpleNamespace(env={"PATH": str(tmp_path)}))
    with pytest.raises(MachineError, match="`docker` command is not installed"):
        recipe.has_buildkit(engine)


@pytest.mark.parametrize("script", [None, "exit 2"], ids=["missing", "fails"])
def test_without_an_architecture_the_road_of_packages_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    if script:
        (tmp_path / "dpkg").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / "dpkg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert roads._package_architecture() is None


def test_what_a_dockerfile_starts_from_is_made_before_it_is_built(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        "FROM labctl-base AS one\nfrom --platform=x labctl-host:latest\n"
        "COPY --from=labctl-observer / /\nFROM other\nFROM labctl-unknown\n"
    )
    assert foreign.below({"context": str(tmp_path)}) == {"labctl-base", "labctl-host"}
    assert foreign.below({"dockerfile_inline": "FROM labctl-host\n"}) == {"labctl-host"}
    assert foreign.below({"context": "https://example.org/x.git"}) == set()
    assert foreign.below({}) == set()
