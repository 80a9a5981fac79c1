"""What `labctl verify` and labs' tests need of Python."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module, metadata

from labctl.engine.doctor.model import Check, Fix, Look, Machine, State

_NAME = "pytest"
_PACKAGES = {"pytest": "pytest", "testinfra": "pytest-testinfra"}


def tools(_machine: Machine) -> list[Check]:
    """Import pytest and testinfra."""
    return [judge(_PACKAGES)]


def judge(packages: Mapping[str, str]) -> Check:
    """Return the check for modules, each with the name of the package that it comes in."""
    found, missing = [], []
    for module, package in packages.items():
        try:
            import_module(module)
            found.append(f"{package} {metadata.version(package)}")
        except (ImportError, metadata.PackageNotFoundError) as error:
            missing.append(f"{package} ({error})")
    if not missing:
        return Check(_NAME, State.OK, ", ".join(found))
    return Check(
        _NAME,
        State.FAILED,
        f"cannot be imported: {', '.join(missing)}",
        "`labctl verify` and the tests of labs do not run",
        Fix(
            "Install them where labctl is installed",
            f"{sys.executable} -m pip install {' '.join(packages.values())}",
        ),
    )


LOOKS = (Look((_NAME,), tools, needs_engine=False),)
