"""The labels that everything carries that labctl makes on an engine, and what they say."""

from __future__ import annotations

import os
import socket
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
OBSERVER = "labctl.observer"
"""On a container that watches a host, and is none itself: what it watches."""
NETWORK = "labctl.network"
READY = "labctl.ready"
"""On the volume that marks a lab as up: every host was ready once."""
FRESH = "labctl.fresh"
"""On all that is of a lab which is to go with whoever brought it up (a test, a demo)."""
OWNER = "labctl.owner"
"""Who brought it up, as USER-ID@MACHINE: only there do locks tell whether one still works on it."""


@dataclass(frozen=True)
class Origin:
    """Whose lab it is: the name it is up under, the lab, and the lab's file.

    A `fresh` one is a copy that lives no longer than whoever brought it up.
    """

    name: str
    lab: str
    file: Path
    fresh: bool = False


def for_lab(origin: Origin) -> dict[str, str]:
    """Return the labels that say which lab a thing belongs to."""
    told = {NAME: origin.name, LAB: origin.lab, FILE: str(origin.file), OWNER: owner()}
    return {**told, FRESH: "1"} if origin.fresh else told


def owner() -> str:
    """Return who we are, as the label OWNER has it."""
    return f"{os.getuid()}@{socket.gethostname()}"


def for_marker(origin: Origin) -> dict[str, str]:
    """Return the labels of the volume that marks the lab as up."""
    return {**for_lab(origin), READY: "1"}


def for_host(origin: Origin, host: str) -> dict[str, str]:
    """Return the labels of one host's container."""
    return {**for_lab(origin), HOST: host}


def for_observer(name: str, watched: str) -> dict[str, str]:
    """Return the labels of a container beside the lab up under a name; `watched` says what for."""
    return {NAME: name, OWNER: owner(), OBSERVER: watched}


def for_network(origin: Origin, key: str) -> dict[str, str]:
    """Return the labels of one network; `key` is its name in the lab file."""
    return {**for_lab(origin), NETWORK: key}


def marker_name(name: str) -> str:
    """Return the name of the volume that marks the lab as up."""
    return f"labctl-up-{name}"
