"""Make the base image on the first road that leads there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from labctl.engine.client import Engine, refused
from labctl.engine.images import roads, sources
from labctl.engine.images.child import Outcome, Progress, stream
from labctl.engine.images.inputs import LABEL_IMAGE, LABEL_INPUTS, Image
from labctl.engine.images.recipe import build
from labctl.engine.images.space import SpaceWatch
from labctl.errors import MachineError


def make_base(engine: Engine, base: Image, progress: Progress, *, fresh: bool = False) -> None:
    """Make the base image, from a registry or else from the machine's own packages.

    `fresh` asks the registry again also for an image that was pulled before. Raises
    MachineError, with the reason of each road, when none leads there.
    """
    refusal = _pull(engine, base, progress, fresh=fresh)
    if not refusal:
        build(engine, base, {"FROM": roads.upstream(base)}, progress)
        return
    progress(f"no registry gives {roads.upstream(base)}: {refusal}")
    packages = roads.packages(engine)
    if packages.usable:
        progress(f"making {base.tag} from packages: {packages.reason}")
        _from_packages(engine, base, progress)
        return
    fixes = [packages.fix, roads.saved().fix]
    raise MachineError(
        f"no road leads to the base image: no registry gives {roads.upstream(base)} ({refusal}); "
        f"{packages.reason}",
        "; or ".join(fix for fix in fixes if fix) + "; `labctl doctor` shows all roads",
    )


def _pull(engine: Engine, base: Image, progress: Progress, *, fresh: bool) -> str:
    """Pull what the base is made from; return why that was not possible, or ``""``."""
    name = roads.upstream(base)
    if not fresh and _is_there(engine, name):
        return ""
    with SpaceWatch(engine) as space:
        outcome = stream(
            ["docker", "pull", name], engine.env, progress, silent_for=roads.REGISTRY_PATIENCE
        )
    if outcome.ok:
        return ""
    if space.ran_full(outcome.last):
        raise space.error(f"pulling {name}")
    if outcome.timed_out:
        return f"no answer within {roads.REGISTRY_PATIENCE:g} seconds"
    return outcome.last[-1] if outcome.last else "docker pull failed"


def _is_there(engine: Engine, name: str) -> bool:
    with refused(f"looking for image {name}"):
        return bool(engine.sdk.images.list(name))


def _from_packages(engine: Engine, base: Image, progress: Progress) -> None:
    suite = sources.codename() or ""
    lines = [str(source) for source in sources.machine_sources(suite)]
    options = _options(base.folder / "mmdebstrap.options")
    if any(line.startswith("deb https:") for line in lines):
        options.append("--include=ca-certificates")
    with tempfile.TemporaryDirectory(prefix="labctl-base-") as folder:
        archive = Path(folder) / "base.tar"
        with archive.open("wb") as output:
            made = stream(
                ["mmdebstrap", *options, suite, "-", *lines], engine.env, progress, output=output
            )
        if not made.ok:
            raise _failed("mmdebstrap", made)
        _import(engine, base, archive, progress)


def _import(engine: Engine, base: Image, archive: Path, progress: Progress) -> None:
    labels = {LABEL_IMAGE: base.name, LABEL_INPUTS: base.inputs}
    changes = [f"--change=LABEL {name}={value}" for name, value in labels.items()]
    changes.append('--change=CMD ["bash"]')
    with SpaceWatch(engine) as space:
        outcome = stream(
            ["docker", "import", *changes, str(archive), base.tag], engine.env, progress
        )
    if outcome.ok:
        return
    if space.ran_full(outcome.last):
        raise space.error(f"importing {base.tag}")
    raise _failed("docker import", outcome)


def _options(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _failed(program: str, outcome: Outcome) -> MachineError:
    return MachineError(
        f"the base image cannot be made: {program} ended with {outcome.code}; its last lines:\n"
        + outcome.quoted(),
        "`labctl images build` shows all its lines; is the package mirror in reach "
        "(`apt-get update`)?",
    )
