"""Images of a lab that labctl does not make: built from the lab's own Dockerfile, or pulled."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag

from labctl.engine import compose
from labctl.engine.client import Engine, refused
from labctl.engine.images.inputs import BUILT, LABEL_IMAGE, NAMES, PREFIX
from labctl.engine.shape import Host
from labctl.errors import MachineError

_FROM = re.compile(
    rf"^\s*FROM\s+(?:--\S+\s+)*{PREFIX}-(\w+)(?::latest)?\s*(?:AS\s.*)?$", re.I | re.M
)


def provide(
    engine: Engine,
    lab: str,
    hosts: Iterable[Host],
    own: Container[str],
    note: Callable[[str], None],
) -> None:
    """Build what the lab's hosts have a `build` part for, pull what is not there.

    Raises MachineError, naming host and image, when one cannot be had.
    """
    seen: set[str] = set()
    for host in hosts:
        image = str(host.config.get("image", ""))
        if image.removesuffix(":latest") in own or image in seen:
            continue
        seen.add(image)
        if "build" in host.config:
            note(f"building {image}")
            _build(engine, lab, host, image)
        elif not _present(engine, image):
            note(f"pulling {image}")
            _pull(engine, host, image)


def _build(engine: Engine, lab: str, host: Host, image: str) -> None:
    service: dict[str, Any] = {"image": image, "build": labelled(host.config["build"])}
    project = {"name": f"labctl-build-{lab}", "services": {host.service: service}}
    compose.build(engine, project, f"the image of host {host.name} of lab {lab}")


def below(build: Mapping[str, Any]) -> set[str]:
    """Return which images of labctl's, `labctl-host` or others, a `build` part starts from."""
    file = Path(build.get("context", ".")) / build.get("dockerfile", "Dockerfile")
    try:
        text = build.get("dockerfile_inline") or file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # Compose says what is wrong with it
        return set()
    return {f"{PREFIX}-{name}" for name in _FROM.findall(text) if name in NAMES}


def labelled(build: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `build` part whose image says that it was built for a lab.

    What is made from one of labctl's own images would else pass for that image.
    """
    return {**build, "labels": {**(build.get("labels") or {}), LABEL_IMAGE: BUILT}}


def _present(engine: Engine, image: str) -> bool:
    with refused(f"looking for image {image}"):
        try:
            engine.sdk.images.get(image)
        except ImageNotFound:
            return False
    return True


def _pull(engine: Engine, host: Host, image: str) -> None:
    repository, tag = parse_repository_tag(image)
    try:
        for line in engine.sdk.api.pull(repository, tag or "latest", stream=True, decode=True):
            if "error" in line:
                raise _not_had(host, image, line["error"])
    except (APIError, requests.RequestException) as error:
        raise _not_had(host, image, getattr(error, "explanation", None) or str(error)) from error


def _not_had(host: Host, image: str, why: str) -> MachineError:
    return MachineError(
        f"the image of host {host.name}, {image}, is not here and cannot be pulled: {why}",
        "Is its name right, and a registry in reach? `docker load` brings an image from a file.",
    )
