"""A lab as the rest of labctl sees it, once its file has been found right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labctl.lab.model import XLab


@dataclass(frozen=True)
class HostDecl:
    """One service of the file.

    `scale` is how many hosts are made of it; none of a template, which other hosts
    extend. `router` says that it forwards packets (sysctl net.ipv4.ip_forward).
    """

    name: str
    scale: int
    networks: tuple[str, ...]
    router: bool

    @property
    def template(self) -> bool:
        """True when no host is made of it."""
        return self.scale == 0

    @property
    def copies(self) -> tuple[str, ...]:
        """The names of the hosts made of it: `peer`, or `peer-1`, `peer-2`, ..."""
        if self.scale == 1:
            return (self.name,)
        return tuple(f"{self.name}-{i}" for i in range(1, self.scale + 1))


@dataclass(frozen=True)
class Lab:
    """A lab file that has been checked; `path` is absolute, names are in file order."""

    name: str
    path: Path
    x: XLab
    hosts: dict[str, HostDecl]
    networks: tuple[str, ...]
