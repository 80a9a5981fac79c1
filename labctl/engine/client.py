"""The connection to a Docker engine: through DOCKER_HOST, a docker context, or its default."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException
from urllib3.exceptions import HTTPError

from labctl.engine.endpoint import endpoint
from labctl.errors import EngineError

OLDEST_API = (1, 41)
"""Docker Engine 20.10: the oldest whose API has all that labctl asks for."""

CALL_TIMEOUT = 120
"""Seconds that one call of the engine's API may take."""

_COMPOSE_SETTINGS = (
    "COMPOSE_FILE",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_PROFILES",
    "COMPOSE_ENV_FILES",
)


@dataclass(frozen=True)
class Engine:
    """A reachable engine: `sdk` to talk to it, `env` for child `docker` processes."""

    sdk: docker.DockerClient
    address: str

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment of child processes: the user's, less what would redirect Compose."""
        return {k: v for k, v in os.environ.items() if k not in _COMPOSE_SETTINGS}

    @cached_property
    def _info(self) -> dict[str, Any]:
        with refused("asking the engine about itself"):
            return dict(self.sdk.info())

    @cached_property
    def id(self) -> str:
        """The engine's own identity, the same through whichever address it is reached."""
        return str(self._info.get("ID") or self._info.get("Name") or self.address)

    def url(self, path: str) -> str:
        """Where the engine's API has `path`, for what the SDK has no call for, or an unfit one."""
        return f"{self.sdk.api.base_url}/v{self.sdk.api.api_version}/{path}"

    @cached_property
    def at_once(self) -> int:
        """How many calls that make the engine work are best under way at once.

        Beyond some per processor they only get into each other's way.
        """
        return max(4, min(16, 4 * int(self._info.get("NCPU") or 1)))

    @cached_property
    def local(self) -> bool:
        """Whether the engine shares this machine's kernel, so that its routes are ours."""
        return self.address.startswith(("unix://", "http+unix://"))


def connect(timeout: float = CALL_TIMEOUT) -> Engine:
    """Return a connection to the engine that `docker` itself would use.

    Raises EngineError when nothing answers, access is refused, or the engine is older
    than 20.10.
    """
    where = endpoint()
    address = where.address
    try:
        sdk = where.client(timeout)
        version = sdk.version()
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise _unreachable(address, error) from error
    _require_api(version, address)
    return Engine(sdk, address)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all it was made from: requests and urllib3 wrap the real one."""
    queue, seen = [error], set()
    while queue:
        current = queue.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        linked = [current.__cause__, current.__context__, *getattr(current, "args", ())]
        queue += [x for x in linked if isinstance(x, BaseException)]
        reason = getattr(current, "reason", None)
        if isinstance(reason, BaseException):
            queue.append(reason)


def _unreachable(address: str, error: BaseException) -> EngineError:
    causes = list(_causes(error))
    if any(isinstance(e, PermissionError) for e in causes):
        return EngineError(
            f"not permitted to use the Docker engine at {address}",
            "Join its group (`sudo usermod -aG docker $USER`, then log in again), or use root.",
        )
    if any(isinstance(e, FileNotFoundError | ConnectionRefusedError) for e in causes):
        return EngineError(
            f"no Docker engine is running at {address}",
            "Start it (`sudo systemctl start docker`, or Docker Desktop); see `labctl doctor`.",
        )
    return EngineError(
        f"the Docker engine at {address} does not answer: {causes[-1]}",
        "Is DOCKER_HOST or the docker context right? `labctl doctor` tells more.",
    )


def _require_api(version: dict[str, object], address: str) -> None:
    told = str(version.get("ApiVersion", "0.0"))
    try:
        api = tuple(int(part) for part in told.split("."))
    except ValueError:
        api = (0,)
    if api < OLDEST_API:
        engine = version.get("Version", "unknown")
        raise EngineError(
            f"the Docker engine at {address} is too old: version {engine}, API {told}",
            "labctl needs Docker Engine 20.10 (API 1.41) or newer: update it.",
        )


@contextmanager
def refused(doing: str) -> Iterator[None]:
    """Turn what the engine refuses while `doing` something into an EngineError."""
    try:
        yield
    except APIError as error:
        said = error.explanation or str(error)
        raise EngineError(
            f"the engine refused while {doing}: {said}", "See `labctl doctor`."
        ) from error
    except (requests.RequestException, HTTPError, OSError) as error:
        raise EngineError(
            f"the engine went away while {doing}: {error}",
            "Is it still running, and does `docker ps` answer? If not, restart it; then "
            "`labctl clean` removes what remained.",
        ) from error
