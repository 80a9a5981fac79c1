"""The volume on which an agent beside a host writes, so that what it wrote outlasts it.

With a host ends its pid namespace, and with that the agent beside it, its strace and its
capture (pid_namespaces(7)); the files are still there then. Whoever made the volume removes it,
or, where that was killed, `clean`.
"""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from docker.errors import APIError, NotFound
from docker.types import Mount

from labctl.engine import labels, locks
from labctl.engine.client import Engine, refused
from labctl.engine.passing import passing
from labctl.engine.removal import insist
from labctl.engine.tarstream import CHUNK, decode
from labctl.errors import LabctlError, MachineError

FOLDER = "/out"
"""Where the agent finds it."""

_PATIENCE = 15.0
"""Seconds in which an agent lets go and ends by itself once nobody commands it any more."""
_FORCE = 30.0


class Evidence:
    """One such volume, called as the container that writes to it. Whoever makes it holds a lock.

    Raises MachineError where the lock cannot be made.
    """

    def __init__(self, engine: Engine, name: str, told: dict[str, str]) -> None:
        self._engine = engine
        self._name = name
        self._labels = told
        self._lock = locks.try_lock(_lock(engine, name))

    @property
    def mount(self) -> str:
        """How docker-run(1) is to mount it, and make it."""
        marked = (f"volume-label={key}={value}" for key, value in self._labels.items())
        return ",".join(["type=volume", f"src={self._name}", f"dst={FOLDER}", *marked])

    def read(self, image: str, folder: Path, prefix: str) -> list[str]:
        """Write its files to a folder, each with `prefix` before its name; return the names.

        Through a container that is never started, so that nothing of what is there changes.
        Raises EngineError where the engine does not give them, MachineError where they cannot
        be written.
        """
        api = self._engine.sdk.api
        with refused(f"reading volume {self._name}"):
            try:
                api.inspect_volume(self._name)
            except NotFound:  # somebody has removed it: do not make another one
                return []
            mount = Mount(FOLDER, self._name, type="volume", read_only=True)

            def made() -> str:
                container = self._engine.sdk.containers.create(
                    image,
                    ["true"],
                    name=f"{self._name}.read",
                    labels=self._labels,
                    mounts=[mount],
                    network_mode="none",
                    cap_drop=["ALL"],
                )
                return str(container.id)

            with passing(self._engine, made) as key:
                stream, _ = api.get_archive(key, FOLDER, chunk_size=CHUNK)
                try:
                    return list(_written(stream, folder, prefix))
                except tarfile.TarError as error:
                    raise MachineError(
                        f"the engine gave volume {self._name} in part only: {error}",
                        "Is it still running, and does `docker ps` answer? Try again.",
                    ) from error

    def remove(self) -> None:
        """Remove it, with the container that has it. Raises nothing: `clean` tries again."""
        try:
            _remove(self._engine, self._name, 0.0)
        except LabctlError:
            return
        finally:
            if self._lock is not None:
                locks.remove(_lock(self._engine, self._name), self._lock)
                self._lock = None


def remove_unowned(engine: Engine) -> list[str]:
    """Remove the volumes whose makers are gone; return their names.

    Those of another user or machine are left alone: whether they are used cannot be told.
    Raises EngineError where the engine does not let go of one.
    """
    wanted = {"label": [labels.OBSERVER, f"{labels.OWNER}={labels.owner()}"]}
    with refused("looking for what observers have left"):
        found = engine.sdk.api.volumes(filters=wanted).get("Volumes") or []
    removed = []
    for volume in found:
        name = volume["Name"]
        lock = locks.try_lock(_lock(engine, name))
        if lock is None:
            continue
        try:
            _remove(engine, name, _PATIENCE)
        finally:
            locks.remove(_lock(engine, name), lock)
        removed.append(name)
    return removed


def _written(stream: Iterator[bytes], folder: Path, prefix: str) -> Iterator[str]:
    for info, content in decode(stream):
        name = Path(info.name).name
        if content is None or name.startswith("."):
            continue
        try:
            with (folder / f"{prefix}{name}").open("wb") as file:
                while block := content.read(CHUNK):
                    file.write(block)
        except OSError as error:
            raise MachineError(
                f"what was observed cannot be written to {folder}: {error.strerror}",
                "Make room there, or set TMPDIR to a folder that has some.",
            ) from error
        yield name


def _lock(engine: Engine, name: str) -> Path:
    return locks.lock_path("evidence", engine.id, name)


def _remove(engine: Engine, name: str, patience: float) -> None:
    """Remove a volume. Its container has so many seconds to end by itself."""
    api = engine.sdk.api
    hint = f"Try `docker volume rm {name}`."

    def volume(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        insist(lambda: api.remove_volume(name), f"volume {name}", hint, deadline)

    with refused(f"removing volume {name}"):
        try:
            volume(patience)
        except LabctlError:
            for container in (name, f"{name}.read"):
                with suppress(APIError):
                    api.remove_container(container, force=True)
            volume(_FORCE)
