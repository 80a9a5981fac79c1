"""A host's files through the engine's archive calls, which need no program on the host.

They work on a host that has ended too. The engine's documentation calls them
`/containers/{id}/archive` (HEAD: look, GET: take, PUT: give).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import join, normpath
from typing import Any

import requests
from docker.errors import NotFound
from docker.utils import decode_json_header

from labctl.engine import tarstream
from labctl.engine.client import Engine, refused
from labctl.engine.following import Seen, follow
from labctl.engine.live import LiveHost
from labctl.engine.presence import gone
from labctl.errors import MachineError, UsageError

# Bits of Go's os.FileMode, which the engine tells.
_GO_DIRECTORY = 1 << 31
_GO_SYMLINK = 1 << 27

_STATUS_HEADER = "X-Docker-Container-Path-Stat"
_KERNELS = ("/proc", "/sys", "/dev")


@dataclass(frozen=True)
class Found:
    """What a path leads to, links followed: `path` is its real one, `size` in bytes."""

    path: str
    folder: bool
    size: int


def absolute(engine: Engine, host: LiveHost, path: str) -> str:
    """Return a path on the host from its root on; a relative one begins in its working folder."""
    return normpath(join(_details(engine, host)["Config"].get("WorkingDir") or "/", path))


def look(engine: Engine, host: LiveHost, path: str) -> Found | None:
    """Return what the absolute path leads to, or None for nothing.

    Raises UsageError where the way there goes through what is in memory: the engine does
    not go through the host's own kernel, and sees, and writes, what lies below it, without
    a word. Raises MachineError when the engine refuses.
    """
    in_memory = _in_memory(engine, host)

    def seen(part: str) -> Seen | None:
        for folder in in_memory:
            if PurePosixPath(part).is_relative_to(folder):
                raise UsageError(
                    f"{path} of host {host.name} cannot be reached: {folder} is in memory only",
                    f"Use another folder, or a pipe: `labctl exec {host.name} -- cat {path}`.",
                )
        return _status(engine, host, part)

    found = follow(path, seen)
    return None if found is None else Found(found[0], found[1].folder, found[1].size)


def _in_memory(engine: Engine, host: LiveHost) -> list[str]:
    """Return the folders that are in memory only, without links on the way to them."""
    details = _details(engine, host)
    mounted = [m["Destination"] for m in details["Mounts"] if m["Type"] == "tmpfs"]
    mounted += details["HostConfig"].get("Tmpfs") or ()
    ways = {folder: follow(folder, lambda part: _status(engine, host, part)) for folder in mounted}
    return [
        *(normpath(folder) if way is None else way[0] for folder, way in ways.items()),
        *_KERNELS,
    ]


def _status(engine: Engine, host: LiveHost, path: str) -> Seen | None:
    """Return what is at a path: the engine follows the links to it, but not itself."""
    api = engine.sdk.api
    with refused(f"looking at {path} on host {host.name}"):
        answer = api.head(_url(engine, host), params={"path": path}, timeout=api.timeout)
    if answer.status_code == 404:
        _details(engine, host)  # says so where it is the host that is gone
        return None
    _require_ok(answer, host, path)
    told: dict[str, Any] = decode_json_header(answer.headers[_STATUS_HEADER])
    link = told["linkTarget"] if told["mode"] & _GO_SYMLINK else None
    return Seen(bool(told["mode"] & _GO_DIRECTORY), int(told["size"]), link)


def take(engine: Engine, host: LiveHost, path: str) -> Generator[bytes, None, None]:
    """Yield the archive of a file or folder on the host. Raises MachineError.

    Until it is read to its end or closed, the engine answers no other such call for
    this host.
    """
    api = engine.sdk.api
    with (
        refused(f"reading {path} on host {host.name}"),
        api.get(
            _url(engine, host), params={"path": path}, stream=True, timeout=api.timeout
        ) as answer,
    ):
        if answer.status_code == 404:
            _details(engine, host)
        _require_ok(answer, host, path)
        yield from answer.iter_content(tarstream.CHUNK)


def _url(engine: Engine, host: LiveHost) -> str:
    # The SDK has no call for HEAD, and its GET cannot be closed before the end.
    return engine.url(f"containers/{host.container_id}/archive")


def _require_ok(answer: requests.Response, host: LiveHost, path: str) -> None:
    if not answer.ok:
        raise MachineError(
            f"the engine does not give {path} of host {host.name}: "
            f"{answer.status_code} {answer.reason}",
            "Is it a path that a host can have? See `labctl doctor`.",
        )


def give(engine: Engine, host: LiveHost, folder: str, chunks: Iterable[bytes]) -> None:
    """Unpack an archive in a folder of the host.

    Raises MachineError when the engine refuses, and whatever `chunks` raises.
    """
    source = _Source(chunks)
    try:
        with refused(f"writing to {folder} on host {host.name}"):
            try:
                engine.sdk.api.put_archive(host.container_id, folder, source.chunks())
            except NotFound as error:
                raise gone(host) from error
    except MachineError:
        if source.failure is not None:  # what the connection makes of it says less
            raise source.failure from None
        raise


class _Source:
    """Chunks to be sent, and why they ended too early."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.failure: Exception | None = None

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except Exception as error:
            self.failure = error
            raise


def owner(engine: Engine, host: LiveHost) -> tuple[int, int]:
    """Return the numbers of the user and group that the host's own programs run as.

    A name is looked up in the host's /etc/passwd and /etc/group, as the engine does.
    Raises MachineError for a name that is not there.
    """
    user, _, group = str(_details(engine, host)["Config"].get("User") or "0").partition(":")
    uid, gid = _user(user, _table(engine, host, "/etc/passwd"))
    if not group:
        return uid, gid
    if group.isdigit():
        return uid, int(group)
    for fields in _table(engine, host, "/etc/group"):
        if fields[0] == group:
            return uid, int(fields[2])
    raise MachineError(f"host {host.name} has no group {group}", "See its /etc/group.")


def _user(user: str, passwd: list[list[str]]) -> tuple[int, int]:
    for fields in passwd:
        if user in (fields[0], fields[2]):
            return int(fields[2]), int(fields[3])
    if user.isdigit():
        return int(user), 0
    raise MachineError(f"the host has no user {user}", "See its /etc/passwd.")


def _table(engine: Engine, host: LiveHost, path: str) -> list[list[str]]:
    found = look(engine, host, path)
    if found is None:
        return []
    text = b"".join(
        content.read()
        for _, content in tarstream.decode(take(engine, host, found.path))
        if content is not None
    )
    lines = text.decode("utf-8", "replace").splitlines()
    return [fields for fields in (line.split(":") for line in lines) if len(fields) >= 4]


def _details(engine: Engine, host: LiveHost) -> dict[str, Any]:
    with refused(f"looking at host {host.name}"):
        try:
            details: dict[str, Any] = engine.sdk.api.inspect_container(host.container_id)
        except NotFound as error:
            raise gone(host) from error
    return details
