"""The roads to the base image: already there, a registry, Debian's packages, a file.

Which can be taken differs from machine to machine; `labctl doctor` shows all of them
with their reasons.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import requests
from docker.errors import DockerException, ImageNotFound

from labctl.engine.client import Engine, refused
from labctl.engine.images import sources
from labctl.engine.images.inputs import Image

REGISTRY_PATIENCE = 15.0
"""Seconds after which a registry that has said nothing counts as out of reach."""

_PACKAGE_ARCHITECTURES = {"armhf": "arm", "armel": "arm", "i386": "386", "ppc64el": "ppc64le"}
"""Debian's names of architectures that an engine calls otherwise."""


@dataclass(frozen=True)
class Road:
    """A road to the base image: whether it can be taken, why (not), and what would help."""

    name: str
    usable: bool
    reason: str
    fix: str = ""


def base_roads(engine: Engine, base: Image) -> list[Road]:
    """Return all roads to the base image in the order in which they are tried."""
    return [present(engine, base), registry(engine, base), packages(engine), saved()]


def present(engine: Engine, base: Image) -> Road:
    """Return the road of one who has the image already."""
    with refused(f"looking for image {base.tag}"):
        try:
            engine.sdk.images.get(base.tag)
        except ImageNotFound:
            return Road("present", False, f"{base.tag} is not on the engine", "labctl images build")
    return Road("present", True, f"{base.tag} is on the engine")


def upstream(base: Image) -> str:
    """Return the image that the base is made from where a registry answers.

    It stands in the Dockerfile as the default of its first ARG.
    """
    for line in (base.folder / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("ARG FROM="):
            return line.removeprefix("ARG FROM=").strip()
    raise ValueError(f"{base.folder}/Dockerfile has no `ARG FROM=`")


def registry(engine: Engine, base: Image, patience: float = REGISTRY_PATIENCE) -> Road:
    """Return the road through a registry, after asking the engine whether one answers."""
    name = upstream(base)
    answer: list[str] = []

    def ask() -> None:
        try:
            engine.sdk.images.get_registry_data(name)
            answer.append("")
        except (DockerException, requests.RequestException, OSError) as error:
            answer.append(str(getattr(error, "explanation", None) or error))

    # The engine itself may try for minutes, so it is asked aside.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    failure = answer[0] if answer else f"no answer within {patience:g} seconds"
    if not failure:
        return Road("registry", True, f"a registry has {name}")
    return Road(
        "registry",
        False,
        f"no registry gives {name}: {failure}",
        "give the engine a way to a registry (a network, a mirror or a proxy in its daemon.json)",
    )


def packages(engine: Engine) -> Road:
    """Return the road through the machine's own Debian or Ubuntu packages."""
    reason, fix = _packages_missing(engine)
    if reason:
        return Road("packages", False, reason, fix)
    return Road(
        "packages", True, f"mmdebstrap, with this machine's sources of {sources.codename()}"
    )


def saved() -> Road:
    """Return the road of a file that `labctl images save` wrote on another machine."""
    return Road(
        "file",
        False,
        "images can be brought from a machine that has them",
        "there `labctl images save FILE`, here `labctl images load FILE`",
    )


def _packages_missing(engine: Engine) -> tuple[str, str]:
    """Return what is in this road's way and what helps, or two empty texts."""
    suite = sources.codename()
    if not (shutil.which("apt-get") and shutil.which("dpkg") and suite):
        return "this machine has no Debian or Ubuntu packages", ""
    if not shutil.which("mmdebstrap"):
        return "mmdebstrap is not installed", "sudo apt-get install mmdebstrap uidmap"
    if not sources.machine_sources(suite):
        return f"apt has no source of {suite} that a container can reach", "see sources.list(5)"
    here, there = _package_architecture(), _engine_architecture(engine)
    if here is None:
        return "dpkg does not tell the architecture", "see what `dpkg --print-architecture` says"
    if here != there:
        return f"packages here are for {here}, the engine runs {there}", ""
    return _rights_missing()


def _engine_architecture(engine: Engine) -> str:
    with refused("asking for its architecture"):
        return str(engine.sdk.version().get("Arch"))


def _package_architecture() -> str | None:
    done = _run("dpkg", "--print-architecture")
    if done is None or done.returncode != 0:
        return None
    told = done.stdout.strip()
    return _PACKAGE_ARCHITECTURES.get(told, told)


def _run(*argv: str) -> subprocess.CompletedProcess[str] | None:
    """Run a program to its end; return None when it is not there."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return None


def _rights_missing() -> tuple[str, str]:
    """Return why an ordinary user cannot make a system's tree here (user_namespaces(7))."""
    if os.geteuid() == 0:
        return "", ""
    once = "or, once, `sudo labctl images build`"
    if not shutil.which("newuidmap"):
        return "uidmap is not installed", f"sudo apt-get install uidmap, {once}"
    if not _has_subordinate_ids(Path("/etc/subuid")):
        return "you have no subordinate user ids", f"see subuid(5) and usermod(8), {once}"
    tried = _run("unshare", "--user", "true")
    if tried is None or tried.returncode != 0:
        return "the kernel refuses user namespaces to ordinary users", once.removeprefix("or, ")
    return "", ""


def _has_subordinate_ids(table: Path) -> bool:
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.split(":")[0] in (getpass.getuser(), str(os.getuid())) for line in lines)
