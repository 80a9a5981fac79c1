"""Where the engine is: DOCKER_HOST, else the docker context in use, else the default socket."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.tls import TLSConfig

from labctl.errors import EngineError

DEFAULT = "unix:///var/run/docker.sock"
_INSPECT_TIMEOUT = 20


@dataclass(frozen=True)
class Endpoint:
    """An engine's address, and how its TLS is done where it has any."""

    address: str
    tls: TLSConfig | None = None
    from_environment: bool = False

    def client(self, timeout: float) -> docker.DockerClient:
        """Return a client; a call takes `timeout` seconds at most.

        Raises EngineError for an address that this installation has no means to reach.
        """
        if self.address.startswith("ssh://") and importlib.util.find_spec("paramiko") is None:
            raise EngineError(
                f"an engine reached over SSH ({self.address}) needs the Python package paramiko",
                "Install labctl with it: `pipx install 'labctl[ssh]'`, `pip install paramiko`.",
            )
        settings: Any = {
            "version": "auto",
            "timeout": timeout,
            "max_pool_size": 64,
            "use_ssh_client": self.address.startswith("ssh://"),
        }
        if self.from_environment:  # with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
            return docker.from_env(**settings)
        if self.tls is not None:
            settings["tls"] = self.tls
        return docker.DockerClient(base_url=self.address, **settings)


def endpoint() -> Endpoint:
    """Return the endpoint that the `docker` command would use.

    Raises EngineError when the docker context cannot be used.
    """
    host = os.environ.get("DOCKER_HOST")
    if host:
        return Endpoint(host, from_environment=True)
    name = os.environ.get("DOCKER_CONTEXT") or _current_context()
    return Endpoint(DEFAULT) if name == "default" else _of_context(name)


def _current_context() -> str:
    folder = Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()
    try:
        settings = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return "default"
    name = settings.get("currentContext") if isinstance(settings, dict) else None
    return str(name or "default")


def _of_context(name: str) -> Endpoint:
    # The SDK's own reading of contexts misses those of a folder without config.json.
    try:
        done = subprocess.run(
            ["docker", "context", "inspect", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSPECT_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise ValueError(done.stderr.strip() or "it cannot be read")
        told = json.loads(done.stdout)[0]
        docker_part = told["Endpoints"]["docker"]
        return Endpoint(docker_part["Host"], _tls(told, docker_part))
    except (OSError, ValueError, LookupError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"the docker context {name} cannot be used: {error}",
            "See `docker context ls`; choose one with `docker context use NAME`.",
        ) from error


def _tls(told: dict[str, Any], docker_part: dict[str, Any]) -> TLSConfig | None:
    files = (told.get("TLSMaterial") or {}).get("docker") or []
    if not files:
        return None
    folder = Path(told["Storage"]["TLSPath"]) / "docker"
    pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
    return TLSConfig(
        client_cert=pair if "cert.pem" in files else None,
        ca_cert=str(folder / "ca.pem") if "ca.pem" in files else None,
        verify=not docker_part.get("SkipTLSVerify", False),
    )
