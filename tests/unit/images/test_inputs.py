"""The tag of an image follows its inputs, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from labctl.engine.images.inputs import HASH_LENGTH, content_hash, images
from labctl.lab.places import data_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "image"
    (root / "sub").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (root / "sub" / "program").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "link").symlink_to("Dockerfile")
    return root


def relink(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("sub/program")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "Dockerfile").write_text("FROM other\n", encoding="utf-8"),
    "name": lambda root: (root / "Dockerfile").rename(root / "Containerfile"),
    "folder": lambda root: (root / "sub").rename(root / "other"),
    "right to execute": lambda root: (root / "sub" / "program").chmod(0o755),
    "new file": lambda root: (root / "empty").touch(),
    "file gone": lambda root: (root / "sub" / "program").unlink(),
    "target of a link": relink,
}

NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "umask": lambda root: (root / "Dockerfile").chmod(0o600),
    "times": lambda root: os.utime(root / "Dockerfile", (0, 0)),
    "compiled Python": lambda root: (root / "module.pyc").touch(),
    "documentation": lambda root: (root / "README.md").touch(),
    "an empty folder": lambda root: (root / "nothing").mkdir(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_another_input_makes_another_hash(folder: Path, change: Callable[[Path], object]) -> None:
    before = content_hash(folder)
    change(folder)
    assert content_hash(folder) != before


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES.keys())
def test_what_does_not_reach_the_image_does_not_count(
    folder: Path, change: Callable[[Path], object]
) -> None:
    before = content_hash(folder)
    change(folder)
    assert content_hash(folder) == before


def test_a_copy_elsewhere_has_the_same_hash(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "__pycache__" / "copy", symlinks=True)
    assert content_hash(tmp_path / "__pycache__" / "copy") == content_hash(folder)


def test_content_that_moves_between_files_changes_the_hash(tmp_path: Path) -> None:
    for name, first, second in (("a", "12", "3"), ("b", "1", "23")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(first, encoding="utf-8")
        (tmp_path / name / "y").write_text(second, encoding="utf-8")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "b")


def test_a_new_base_makes_all_images_new(tmp_path: Path) -> None:
    shutil.copytree(data_root() / "images", tmp_path / "images")
    before = images(tmp_path)
    with (tmp_path / "images/base/Dockerfile").open("a", encoding="utf-8") as file:
        file.write("LABEL more=1\n")
    after = images(tmp_path)
    assert all(before[name].tag != after[name].tag for name in before)


def test_the_tag_holds_the_hash() -> None:
    host = images(data_root())["host"]
    assert host.tag == f"labctl-host:{host.inputs}"
    assert host.latest == "labctl-host:latest"
    assert len(host.inputs) == HASH_LENGTH
    int(host.inputs, 16)
