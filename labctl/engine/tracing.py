"""Which tracers work on the engine's machine, and what killed ones have left in its kernel."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import ImageNotFound

from labctl.engine import live, locks
from labctl.engine.client import Engine, refused
from labctl.engine.images import images
from labctl.engine.observers import watch_kernel, watch_nothing
from labctl.errors import MachineError
from labctl.lab.places import data_root

TRACERS = ("strace", "tracefs")
_LOCK_PATIENCE = 1.0


def observer_image(engine: Engine) -> str | None:
    """Return the tag of the observer's image, None where it is not built."""
    tag = images(data_root())["observer"].tag
    with refused("looking for the observer image"):
        try:
            engine.sdk.images.get(tag)
        except ImageNotFound:
            return None
    return tag


def refusals(engine: Engine, image: str) -> dict[str, str | None]:
    """Try each tracer in a container of the observer image; return why it does not work.

    None stands for one that works.
    """
    with _name(engine, "doctor") as name:
        return {"strace": _strace(engine, image, name), "tracefs": _tracefs(engine, image, name)}


def _strace(engine: Engine, image: str, name: str) -> str | None:
    try:
        sidecar = watch_nothing(engine, image, name)
    except MachineError as error:
        return error.message
    try:
        refusal: str | None = sidecar.hello["strace"]
        return refusal
    finally:
        sidecar.end()


def _tracefs(engine: Engine, image: str, name: str) -> str | None:
    try:
        sidecar = watch_kernel(engine, image, name)
    except MachineError as error:
        return error.message
    try:
        sidecar.ask("start", name=name, calls=["socket"], max_bytes=1 << 20)
        sidecar.ask("stop")
    except MachineError as error:
        return error.message
    else:
        return None
    finally:
        sidecar.end()


def clean_kernel(engine: Engine) -> list[str]:
    """Remove what killed tracers have left in the kernel; return what it was called.

    Where the observer's image is not there, or tracefs cannot be used, there is nothing.
    """
    image = observer_image(engine)
    if image is None:
        return []
    with _name(engine, "clean") as name:
        try:
            sidecar = watch_kernel(engine, image, name)
        except MachineError:
            return []
        removed: list[str] = sidecar.hello["removed"]
        sidecar.end()
        return removed


@contextmanager
def _name(engine: Engine, purpose: str) -> Iterator[str]:
    """Within the block there is a name for containers that nobody takes for left over."""
    name = f"labctl-{purpose}-{secrets.token_hex(4)}"
    with locks.held(live.name_lock(engine, name), name, _LOCK_PATIENCE, once=True):
        yield name
