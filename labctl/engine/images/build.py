"""See to it that the images are there: what has the right tag is not built again."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from labctl.engine.client import Engine, refused
from labctl.engine.images.base import make_base
from labctl.engine.images.child import Progress
from labctl.engine.images.inputs import LABEL_IMAGE, Image, images
from labctl.engine.images.recipe import build
from labctl.engine.locks import held, lock_path
from labctl.lab.places import data_root

LONGEST_BUILD = 1800.0
"""Seconds to wait for another labctl that builds the same images."""


def lock(engine: Engine) -> Path:
    """Return the lock that whoever builds or removes images on this engine holds."""
    return lock_path("images", engine.id)


def quiet(_line: str) -> None:
    """Show no progress."""


def ensure(
    engine: Engine,
    names: Sequence[str] = ("host", "observer"),
    progress: Progress = quiet,
    *,
    root: Path | None = None,
    force: bool = False,
) -> dict[str, str]:
    """Build those of the named images that the engine lacks; return each one's tag.

    `root` is the folder that holds images/, `force` builds all again, with the newest
    packages. Several processes at once build each image once. Raises MachineError
    (what a build said, a full disk, no road to the base image) and EngineError.
    """
    all_images = images(root or data_root())
    wanted = [all_images[name] for name in names]
    missing = wanted if force else _missing(engine, wanted)
    if missing:
        with held(lock(engine), "the building of images", LONGEST_BUILD):
            missing = wanted if force else _missing(engine, wanted)
            _build(engine, all_images["base"], missing, progress, force=force)
    _tag_latest(engine, wanted)
    return {image.name: image.tag for image in wanted}


def _build(
    engine: Engine, base: Image, missing: list[Image], progress: Progress, *, force: bool
) -> None:
    if missing and (force or _missing(engine, [base])):
        make_base(engine, base, _named(base, progress), fresh=force)
        _tag_latest(engine, [base])
    rest = [image for image in missing if image.name != "base"]
    _build_all(engine, base, rest, progress, fresh=force)


def _build_all(
    engine: Engine, base: Image, rest: list[Image], progress: Progress, *, fresh: bool
) -> None:
    """Build images at the same time; the first failure, or Ctrl-C, ends the others."""
    children: list[subprocess.Popen[bytes]] = []

    def one(image: Image) -> None:
        arguments = {"BASE": base.tag}
        lines = _named(image, progress)
        build(engine, image, arguments, lines, fresh=fresh, started=children.append)

    with ThreadPoolExecutor(max_workers=max(1, len(rest))) as builders:
        try:
            for running in as_completed([builders.submit(one, image) for image in rest]):
                running.result()
        except BaseException:
            for child in children:
                child.terminate()
            raise


def _named(image: Image, progress: Progress) -> Progress:
    return lambda line: progress(f"{image.name}: {line}")


def _tags(engine: Engine) -> dict[str, str]:
    """Return the ids of labctl's images on the engine by tag."""
    with refused("looking for the images"):
        found = engine.sdk.api.images(filters={"label": LABEL_IMAGE})
    return {tag: image["Id"] for image in found for tag in image.get("RepoTags") or ()}


def _missing(engine: Engine, wanted: list[Image]) -> list[Image]:
    there = _tags(engine)
    return [image for image in wanted if image.tag not in there]


def _tag_latest(engine: Engine, wanted: list[Image]) -> None:
    there = _tags(engine)
    for image in wanted:
        if there.get(image.latest) != there.get(image.tag):
            with refused("tagging the images"):
                engine.sdk.api.tag(image.tag, image.repository, "latest", force=True)
