"""Build one image from its Dockerfile, with BuildKit where the client has it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from labctl.engine.client import Engine
from labctl.engine.compose import no_client
from labctl.engine.images.child import Progress, Started, stream
from labctl.engine.images.inputs import LABEL_IMAGE, LABEL_INPUTS, Image
from labctl.engine.images.space import SpaceWatch
from labctl.errors import MachineError


def has_buildkit(engine: Engine) -> bool:
    """Return whether `docker build` can use BuildKit: newer clients need buildx for it.

    Raises MachineError when there is no `docker` command.
    """
    try:
        asked = subprocess.run(
            ["docker", "buildx", "version"],
            env=engine.env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError as error:
        raise no_client() from error
    return asked.returncode == 0


def build(
    engine: Engine,
    image: Image,
    arguments: Mapping[str, str],
    progress: Progress,
    *,
    fresh: bool = False,
    started: Started | None = None,
) -> None:
    """Build an image under its content's tag; `fresh` uses nothing of an earlier build.

    `started` is given the child process.

    Raises MachineError with the last lines of the log, or saying that the disk is full.
    """
    buildkit = has_buildkit(engine)
    with SpaceWatch(engine) as space:
        command = _command(image, arguments, buildkit=buildkit, fresh=fresh)
        outcome = stream(command, _env(engine, buildkit), progress, started=started)
    if outcome.ok:
        return
    if space.ran_full(outcome.last):
        raise space.error(f"building {image.tag}")
    raise MachineError(
        f"image {image.name} cannot be built from {image.folder}: `docker build` ended with "
        f"{outcome.code}; its last lines:\n{outcome.quoted()}",
        "`labctl images build` shows the whole log.",
    )


def _env(engine: Engine, buildkit: bool) -> dict[str, str]:
    # Another builder than the engine's own would keep the image to itself.
    env = {name: value for name, value in engine.env.items() if name != "BUILDX_BUILDER"}
    env["DOCKER_BUILDKIT"] = "1" if buildkit else "0"
    # An attestation would turn the image into an index of several manifests.
    env["BUILDX_NO_DEFAULT_ATTESTATIONS"] = "1"
    return env


def _command(
    image: Image, arguments: Mapping[str, str], *, buildkit: bool, fresh: bool
) -> list[str]:
    labels = {LABEL_IMAGE: image.name, LABEL_INPUTS: image.inputs}
    return [
        "docker",
        "build",
        "--progress=plain" if buildkit else "--force-rm",
        f"--tag={image.tag}",
        *(f"--label={name}={value}" for name, value in labels.items()),
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        *(["--no-cache"] if fresh else []),
        str(image.folder),
    ]
