"""The images that are on the engine: list them, move them to another machine, remove them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docker.errors import APIError, ImageNotFound

from labctl.engine.client import Engine, refused
from labctl.engine.images.build import lock, quiet
from labctl.engine.images.child import Progress, stream
from labctl.engine.images.inputs import BUILT, LABEL_IMAGE, LABEL_INPUTS, Image, images
from labctl.engine.images.space import SpaceWatch
from labctl.engine.locks import release, try_lock
from labctl.errors import MachineError, UsageError
from labctl.lab.places import data_root

_PATIENCE = 0.5
"""Seconds to wait for another labctl that builds or removes images."""


@dataclass(frozen=True)
class Stored:
    """An image on the engine: size in bytes, creation in seconds since 1970.

    `current` says whether this labctl would use it; otherwise it is of another version.
    """

    name: str
    id: str
    tags: tuple[str, ...]
    inputs: str
    size: int
    created: int
    current: bool

    @property
    def replaced(self) -> bool:
        """Whether a newer image has taken its place.

        Not so an image built for a lab, nor the one that is `latest`: an `up` of another
        version, which has just seen to it that it is there, may be about to use it.
        """
        latest = any(tag.endswith(":latest") for tag in self.tags)
        return not (self.current or latest or self.name == BUILT)


def stored(engine: Engine, *, root: Path | None = None) -> list[Stored]:
    """Return all images on the engine that labctl made, by name, the newest first.

    What somebody has made from one of them inherits its labels, and is theirs.
    """
    wanted = images(root or data_root())
    tags = {image.tag for image in wanted.values()}
    with refused("listing the images"):
        found = engine.sdk.api.images(filters={"label": LABEL_IMAGE})
    listed = (_read(entry, tags) for entry in found)
    ours = (one for one in listed if not _is_made_from(one, wanted.get(one.name)))
    return sorted(ours, key=lambda one: (one.name, not one.current, -one.created))


def superseded(engine: Engine, *, root: Path | None = None) -> list[Stored]:
    """Return the images that labctl made and newer ones replaced."""
    return [one for one in stored(engine, root=root) if one.replaced]


def remove(engine: Engine, these: Iterable[Stored]) -> list[Stored]:
    """Remove images; return those removed.

    One that a container uses stays, or whose tags have changed since it was listed; all
    stay while another labctl builds images: some may be stages of what it builds.
    Raises EngineError when the engine goes away.
    """
    descriptor = try_lock(lock(engine), _PATIENCE)
    if descriptor is None:
        return []
    try:
        tags = {one.id: one.tags for one in stored(engine)}
        return _remove(engine, [one for one in these if tags.get(one.id) == one.tags])
    finally:
        release(descriptor)


def _remove(engine: Engine, these: Iterable[Stored]) -> list[Stored]:
    gone: list[Stored] = []
    for image in these:
        with refused(f"removing image {image.id}"):
            try:
                for name in image.tags or (image.id,):
                    engine.sdk.images.remove(name)
            except ImageNotFound:
                pass
            except APIError as error:
                if error.status_code == 409:  # in use
                    continue
                raise
        gone.append(image)
    return gone


def save(
    engine: Engine, file: Path, progress: Progress = quiet, *, root: Path | None = None
) -> list[str]:
    """Write the images that this labctl uses to a file; return their tags.

    Raises UsageError when one is not built yet, MachineError when the file cannot be
    written.
    """
    tags = [image.tag for image in images(root or data_root()).values()]
    there = {tag for one in stored(engine, root=root) for tag in one.tags}
    lacking = [tag for tag in tags if tag not in there]
    if lacking:
        raise UsageError(f"not built yet: {', '.join(lacking)}", "Run `labctl images build`.")
    # A file that is only half written must not look like a whole one.
    part = file.with_name(f"{file.name}.part")
    try:
        outcome = stream(["docker", "save", f"--output={part}", *tags], engine.env, progress)
        if outcome.ok:
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    if not outcome.ok:
        raise MachineError(
            f"the images cannot be saved to {file}; docker save said:\n{outcome.quoted()}",
            "Is there a folder that you can write to, with some 400 MB free?",
        )
    return tags


def load(
    engine: Engine, file: Path, progress: Progress = quiet, *, root: Path | None = None
) -> list[str]:
    """Read images that `save` wrote; return the tags that this labctl uses of them.

    Raises UsageError when the file is not there or holds none of them, MachineError when
    the engine cannot read it.
    """
    if not file.is_file():
        raise UsageError(f"no such file: {file}", "Make it with `labctl images save FILE`.")
    with SpaceWatch(engine) as space:
        outcome = stream(["docker", "load", f"--input={file}"], engine.env, progress)
    if not outcome.ok:
        if space.ran_full(outcome.last):
            raise space.error(f"loading {file}")
        raise MachineError(
            f"{file} cannot be loaded; docker load said:\n{outcome.quoted()}",
            "Make the file with `labctl images save FILE`.",
        )
    brought = {line.partition("Loaded image: ")[2] for line in outcome.last}
    usable = [one for one in images(root or data_root()).values() if one.tag in brought]
    if not usable:
        raise UsageError(
            f"{file} holds no image that this labctl uses: another version made it",
            "Use the same version on both machines, or `labctl images build`.",
        )
    with refused("tagging the images"):
        for image in usable:
            engine.sdk.api.tag(image.tag, image.repository, "latest", force=True)
    return [image.tag for image in usable]


def _is_made_from(one: Stored, image: Image | None) -> bool:
    """Whether an image with the labels of `image` has tags, and none of labctl's."""
    if image is None or not one.tags:
        return False
    return not any(tag.startswith(f"{image.repository}:") for tag in one.tags)


def _read(entry: dict[str, object], current: set[str]) -> Stored:
    labels = entry.get("Labels") or {}
    assert isinstance(labels, dict)
    listed = entry.get("RepoTags") or []
    assert isinstance(listed, list)
    tags = tuple(sorted(tag for tag in listed if tag != "<none>:<none>"))
    return Stored(
        name=str(labels.get(LABEL_IMAGE, "")),
        id=str(entry["Id"]),
        tags=tags,
        inputs=str(labels.get(LABEL_INPUTS, "")),
        size=int(str(entry["Size"])),
        created=int(str(entry["Created"])),
        current=not current.isdisjoint(tags),
    )
