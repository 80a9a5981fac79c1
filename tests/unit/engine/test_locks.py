"""Locks whose files are removed: one holder at a time all the same, and no file left."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import pytest

from labctl.engine import locks

PATIENCE = 30.0
SPAWN = multiprocessing.get_context("spawn")


def contend(path: Path, inside: Path, rounds: int) -> None:
    """Hold the lock again and again; fails where another holds it too."""
    for _ in range(rounds):
        with locks.held(path, "it", PATIENCE, once=True):
            inside.mkdir()
            inside.rmdir()


def test_processes_never_hold_it_together(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    args = (path, tmp_path / "inside", 150)
    children = [SPAWN.Process(target=contend, args=args) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0] * 4
    assert list(tmp_path.iterdir()) == []


def test_who_waited_for_a_removed_file_takes_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lock"
    tried, removed, got = threading.Event(), threading.Event(), []

    def waits(_seconds: float) -> None:
        tried.set()
        assert removed.wait(PATIENCE)

    first = locks.try_lock(path)
    assert first is not None
    monkeypatch.setattr(time, "sleep", waits)
    waiter = threading.Thread(target=lambda: got.append(locks.try_lock(path, PATIENCE)))
    waiter.start()
    assert tried.wait(PATIENCE)
    locks.remove(path, first)
    removed.set()
    waiter.join(PATIENCE)
    (second,) = got
    assert second is not None
    assert path.exists()
    assert locks.try_lock(path) is None
    locks.remove(path, second)
    assert list(tmp_path.iterdir()) == []


def test_what_was_removed_and_made_anew_is_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    old = locks.try_lock(path)
    assert old is not None
    path.unlink()  # as who cleans /tmp up may do
    new = locks.try_lock(path)
    assert new is not None
    locks.remove(path, old)
    assert locks.try_lock(path) is None
    locks.release(new)


def test_a_look_makes_no_file(tmp_path: Path) -> None:
    assert locks.is_free(tmp_path / "a.lock")
    locks.discard(tmp_path / "a.lock")
    assert list(tmp_path.iterdir()) == []


def test_what_is_held_is_not_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "runtime_dir", lambda: tmp_path)
    held, free = tmp_path / "held.lock", tmp_path / "free.lock"
    descriptor = locks.try_lock(held)
    assert descriptor is not None
    free.touch()
    assert (locks.is_free(held), locks.is_free(free)) == (False, True)
    locks.discard_all()
    assert list(tmp_path.iterdir()) == [held]
    locks.release(descriptor)
    locks.discard_all()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_needed_again_keeps_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with locks.held(path, "it", PATIENCE):
        assert not locks.is_free(path)
    assert path.exists()
