"""The package sources of this machine's own apt, for a base image made from packages.

No mirror is named here: what `apt-get indextargets` tells is used
(acquire-additional-files(7) describes its fields).
"""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

FIELDS = ("REPO_URI", "RELEASE", "COMPONENT", "ORIGIN")
_FORMAT = "|".join(f"$({name})" for name in FIELDS)

_DISTRIBUTIONS = ("Debian", "Ubuntu", "Raspbian")
_USUAL_PATHS = ("debian", "debian-security", "ubuntu", "ubuntu-ports", "raspbian")
_POCKETS = ("", "-updates", "-security")


@dataclass(frozen=True)
class Source:
    """One line of a sources.list(5): `deb URI SUITE COMPONENT`."""

    uri: str
    suite: str
    component: str

    def __str__(self) -> str:
        return f"deb {self.uri} {self.suite} {self.component}"


def codename() -> str | None:
    """Return the codename of the distribution whose packages this machine uses.

    None where os-release(5) names none. A derivative tells its parent's in
    UBUNTU_CODENAME or DEBIAN_CODENAME.
    """
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    for key in ("UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME"):
        if release.get(key):
            return release[key]
    return None


def machine_sources(suite: str) -> list[Source]:
    """Return the machine's sources for a suite, with its updates and security updates.

    Empty where apt has none that a container could reach.
    """
    told = parse(_indextargets(), suite)
    # Before the first `apt-get update` only the addresses are known.
    return told or parse(_indextargets("-o", "APT::Get::IndexTargets::ReleaseInfo=false"), suite)


def parse(listing: str, suite: str) -> list[Source]:
    """Return the sources that a listing of `apt-get indextargets` names for a suite.

    Left out are other vendors' repositories, other components than main, and what only
    this machine can reach (file:, cdrom:).
    """
    found: dict[Source, None] = {}
    for line in listing.splitlines():
        if line.count("|") != len(FIELDS) - 1:
            continue
        uri, release, component, origin = line.split("|")
        uri = _reachable(uri)
        wanted = release in {suite + pocket for pocket in _POCKETS} and component == "main"
        if wanted and uri and _is_distribution(uri, origin):
            found[Source(uri, release, component)] = None
    return list(found)


def _reachable(uri: str) -> str:
    """Return the address as a container can use it; a list of mirrors gives its first."""
    uri = uri.rstrip("/")
    if uri.startswith("mirror+file:"):
        try:
            listed = Path(uri.removeprefix("mirror+file:")).read_text(encoding="utf-8").split()
        except OSError:
            return ""
        uri = listed[0].rstrip("/") if listed else ""
    return uri if uri.startswith(("http://", "https://")) else ""


def _is_distribution(uri: str, origin: str) -> bool:
    if origin.startswith("$("):  # apt leaves a field that it does not know as it is
        return urlsplit(uri).path.rsplit("/", 1)[-1] in _USUAL_PATHS
    return origin in _DISTRIBUTIONS


def _indextargets(*options: str) -> str:
    command = ["apt-get", *options, "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
