"""The labels that everything carries that labctl makes on an engine, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NAME = "labctl.name"
"""The name under which the lab is up; containers, networks and volumes carry it."""
LAB = "labctl.lab"
FILE = "labctl.file"
"""The lab file, absolute; it may be gone since."""
HOST = "labctl.host"
SIDECAR = "labctl.sidecar"
"""On a container that only shares another host's network: that host's name."""
NETWORK = "labctl.network"
READY = "labctl.ready"
"""On the volume that marks a lab as up: every host was ready once."""


@dataclass(frozen=True)
class Origin:
    """Whose lab it is: the name it is up under, the lab, and the lab's file."""

    name: str
    lab: str
    file: Path


def for_lab(origin: Origin) -> dict[str, str]:
    """Return the labels that say which lab a thing belongs to."""
    return {NAME: origin.name, LAB: origin.lab, FILE: str(origin.file)}


def for_host(origin: Origin, host: str) -> dict[str, str]:
    """Return the labels of one host's container."""
    return {**for_lab(origin), HOST: host}


def for_network(origin: Origin, key: str) -> dict[str, str]:
    """Return the labels of one network; `key` is its name in the lab file."""
    return {**for_lab(origin), NETWORK: key}


def marker_name(name: str) -> str:
    """Return the name of the volume that marks the lab as up."""
    return f"labctl-up-{name}"
