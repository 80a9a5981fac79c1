"""A full disk is recognised by its reading, or else by what the log says."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import cast

import pytest

from labctl.engine.client import Engine
from labctl.engine.images.space import FULL_BELOW, MIB, SpaceWatch


def watch_of(root: str, *, local: bool) -> SpaceWatch:
    sdk = SimpleNamespace(info=lambda: {"DockerRootDir": root})
    return SpaceWatch(cast(Engine, SimpleNamespace(sdk=sdk, local=local)))


def disk(monkeypatch: pytest.MonkeyPatch, *free: int, inodes: int = 9) -> None:
    readings = iter(free)
    last = [0]

    def statvfs(_path: str) -> SimpleNamespace:
        last[0] = next(readings, last[0])
        return SimpleNamespace(f_bfree=last[0], f_frsize=1, f_ffree=inodes, f_files=100)

    monkeypatch.setattr(os, "statvfs", statvfs)


def test_the_lowest_reading_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 900 * MIB, FULL_BELOW - 1, 900 * MIB)
    with watch_of("/data", local=True) as watch:
        watch._sample()
    assert watch.ran_full([])
    error = watch.error("building x")
    assert "/data, where 15 MiB were free" in error.message
    assert error.exit_code == 3


def test_enough_space_is_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 900 * MIB)
    with watch_of("/data", local=True) as watch:
        pass
    assert not watch.ran_full(["exit code: 1"])


def test_no_inode_left_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 900 * MIB, inodes=0)
    with watch_of("/data", local=True) as watch:
        pass
    assert watch.ran_full([])


def test_another_machine_s_disk_is_known_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 0)
    with watch_of("/data", local=False) as watch:
        pass
    assert not watch.ran_full(["exit code: 1"])
    assert watch.ran_full(["write /x: No space left on device", "exit code: 1"])
    assert "free" not in watch.error("building x").message


def test_a_place_that_cannot_be_read_gives_no_reading() -> None:
    with watch_of("/no/such/place", local=True) as watch:
        pass
    assert watch.lowest is None
