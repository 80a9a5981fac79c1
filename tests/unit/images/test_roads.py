"""Which roads lead to the base image, on machines of several kinds."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker.errors import APIError, ImageNotFound

from labctl.engine.client import Engine
from labctl.engine.images import roads, sources
from labctl.engine.images.inputs import Image
from labctl.engine.images.sources import Source
from labctl.lab.places import data_root

BASE = Image("base", data_root() / "images" / "base", "0123456789ab")


def fake_engine(**images: Any) -> Engine:
    sdk = SimpleNamespace(images=SimpleNamespace(**images), version=lambda: {"Arch": "here"})
    return cast(Engine, SimpleNamespace(sdk=sdk))


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """A Debian machine with all that is needed; return its programs, to take some away."""
    programs = {"apt-get", "dpkg", "mmdebstrap", "newuidmap"}
    monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(sources, "codename", lambda: "bookworm")
    found = [Source("http://mirror.example/debian", "bookworm", "main")]
    monkeypatch.setattr(sources, "machine_sources", lambda _suite: found)
    monkeypatch.setattr(roads, "_package_architecture", lambda: "here")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return programs


def ordinary_user(monkeypatch: pytest.MonkeyPatch, *, ids: bool, namespaces: bool) -> None:
    done = SimpleNamespace(returncode=0 if namespaces else 1)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(roads, "_has_subordinate_ids", lambda _table: ids)
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_named: done)


def test_packages_on_debian(debian: set[str]) -> None:
    road = roads.packages(fake_engine())
    assert road.usable
    assert "bookworm" in road.reason


@pytest.mark.parametrize(
    ("lacking", "reason", "fix"),
    [
        ("apt-get", "no Debian or Ubuntu packages", ""),
        ("mmdebstrap", "mmdebstrap is not installed", "sudo apt-get install mmdebstrap uidmap"),
    ],
)
def test_packages_without_a_program(debian: set[str], lacking: str, reason: str, fix: str) -> None:
    debian.discard(lacking)
    road = roads.packages(fake_engine())
    assert not road.usable
    assert reason in road.reason
    assert road.fix == fix


def test_packages_without_a_source(debian: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "machine_sources", lambda _suite: [])
    road = roads.packages(fake_engine())
    assert not road.usable
    assert "no source of bookworm" in road.reason


def test_packages_of_another_architecture_than_the_engine(
    debian: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roads, "_package_architecture", lambda: "there")
    road = roads.packages(fake_engine())
    assert not road.usable
    assert "packages here are for there, the engine runs here" in road.reason


@pytest.mark.parametrize(
    ("ids", "namespaces", "usable", "reason"),
    [
        (True, True, True, "mmdebstrap"),
        (False, True, False, "subordinate"),
        (True, False, False, "user namespaces"),
    ],
)
def test_packages_for_an_ordinary_user(
    debian: set[str],
    monkeypatch: pytest.MonkeyPatch,
    ids: bool,
    namespaces: bool,
    usable: bool,
    reason: str,
) -> None:
    ordinary_user(monkeypatch, ids=ids, namespaces=namespaces)
    road = roads.packages(fake_engine())
    assert road.usable == usable
    assert reason in road.reason
    assert usable or "sudo labctl images build" in road.fix


def test_subordinate_ids_are_read_from_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    table = tmp_path / "subuid"
    assert not roads._has_subordinate_ids(table)
    table.write_text("adam:100000:65536\n", encoding="utf-8")
    assert not roads._has_subordinate_ids(table)
    table.write_text("adam:100000:65536\nada:165536:65536\n", encoding="utf-8")
    assert roads._has_subordinate_ids(table)


def test_a_registry_that_answers() -> None:
    road = roads.registry(fake_engine(get_registry_data=lambda _name: None), BASE)
    assert road.usable
    assert roads.upstream(BASE) in road.reason


def test_a_registry_that_refuses_says_why() -> None:
    def refuse(_name: str) -> None:
        raise APIError("500", explanation="lookup failed: no such host")

    road = roads.registry(fake_engine(get_registry_data=refuse), BASE)
    assert not road.usable
    assert "no such host" in road.reason
    assert road.fix


def test_a_registry_that_is_silent_is_not_waited_for() -> None:
    over = threading.Event()
    engine = fake_engine(get_registry_data=lambda _name: over.wait(60))
    road = roads.registry(engine, BASE, patience=0.05)
    over.set()
    assert not road.usable
    assert "no answer within 0.05 seconds" in road.reason


def test_an_image_that_is_there() -> None:
    assert roads.present(fake_engine(get=lambda _tag: None), BASE).usable


def test_all_roads_in_the_order_in_which_they_are_tried(debian: set[str]) -> None:
    def missing(_name: str) -> None:
        raise ImageNotFound("404")

    engine = fake_engine(get=missing, get_registry_data=missing)
    found = roads.base_roads(engine, BASE)
    assert [(road.name, road.usable) for road in found] == [
        ("present", False),
        ("registry", False),
        ("packages", True),
        ("file", False),
    ]
    assert all(road.usable or road.fix for road in found)
