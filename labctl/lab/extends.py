"""What a service is once its `extends` are followed, as far as labctl needs to know.

Source: the Compose Specification, "extends".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labctl.errors import UsageError
from labctl.lab.near import did_you_mean
from labctl.lab.source import Source, read, shown


class ExtendsError(Exception):
    """An `extends` that leads nowhere: `message` and `hint` in plain words."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Service:
    """A service with what it inherits. `networks` maps each to its own part (maybe empty).

    `own_scale` tells whether the service itself says how many there are.
    """

    scale: Any = 1
    own_scale: bool = False
    network_mode: Any = None
    networks: dict[str, dict[str, Any]] | None = None
    router: bool = False


class Resolver:
    """Follows `extends` through files; each file is read once."""

    def __init__(self, source: Source) -> None:
        self._main = source
        self._sources = {source.path.resolve(): source}

    def service(self, name: str) -> Service:
        """Return a service of the main file. Raises ExtendsError."""
        return self._follow(self._main, name, ())

    def _follow(self, source: Source, name: str, chain: tuple[tuple[Path, str], ...]) -> Service:
        link = (source.path.resolve(), name)
        if link in chain:
            raise ExtendsError(f"`extends` goes in a circle at `{name}`", "break the circle")
        services = source.data.get("services")
        services = services if isinstance(services, dict) else {}
        if name not in services:
            raise ExtendsError(
                f"{shown(source.path)} has no service `{name}` to extend",
                did_you_mean(name, services, "services"),
            )
        own = services[name] if isinstance(services[name], dict) else {}
        if "extends" not in own:
            return _with_own(Service(), own)
        base_file, base_name = self._target(source, own["extends"])
        return _with_own(self._follow(base_file, base_name, (*chain, link)), own)

    def _target(self, source: Source, extends: Any) -> tuple[Source, str]:
        if isinstance(extends, str):
            return source, extends
        name = extends.get("service") if isinstance(extends, dict) else None
        if not isinstance(name, str):
            raise ExtendsError(
                "`extends` must name a service", "extends: {file: other.yaml, service: host}"
            )
        file = extends.get("file")
        if file is None:
            return source, name
        return self._read(source.path.parent / str(file)), name

    def _read(self, file: Path) -> Source:
        path = file.resolve()
        if path not in self._sources:
            try:
                self._sources[path] = read(path)
            except UsageError as error:
                raise ExtendsError(
                    f"cannot extend: {error.message}",
                    "`file` is relative to the folder of the file that says `extends`",
                ) from None
        return self._sources[path]


def _with_own(base: Service, own: dict[str, Any]) -> Service:
    deploy = own.get("deploy")
    replicas = deploy.get("replicas") if isinstance(deploy, dict) else None
    scale = own.get("scale", replicas)
    forward = _sysctl(own.get("sysctls"), "net.ipv4.ip_forward")
    networks = own_networks(own)
    return replace(
        base,
        scale=base.scale if scale is None else scale,
        own_scale=scale is not None,
        network_mode=own.get("network_mode", base.network_mode),
        networks=base.networks if networks is None else {**(base.networks or {}), **networks},
        router=base.router if forward is None else forward == "1",
    )


def own_networks(service: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """Return the networks that a service itself names, each with its part; None if it has no
    `networks`."""
    told = service.get("networks")
    if isinstance(told, dict):
        return {name: part if isinstance(part, dict) else {} for name, part in told.items()}
    if isinstance(told, list):
        return {name: {} for name in told if isinstance(name, str)}
    return None


def _sysctl(sysctls: Any, key: str) -> str | None:
    if isinstance(sysctls, list):
        pairs = (str(item).partition("=") for item in sysctls)
        sysctls = {name: value for name, _, value in pairs}
    value = sysctls.get(key) if isinstance(sysctls, dict) else None
    return None if value is None else str(value)
