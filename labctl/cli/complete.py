"""What a shell offers on TAB where a live lab, a host or a scenario is to be named."""

from __future__ import annotations

from pathlib import Path

import typer

from labctl.errors import LabctlError


def complete_name(incomplete: str) -> list[str]:
    """Return the names of labs that are up."""
    from labctl.engine import live  # noqa: PLC0415  completion loads only what it needs
    from labctl.engine.client import connect  # noqa: PLC0415

    try:
        names = [lab.name for lab in live.labs(connect(2.0))]
    except LabctlError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_host(context: typer.Context, incomplete: str) -> list[str]:
    """Return the hosts of the lab that the command line means."""
    from labctl.engine import live  # noqa: PLC0415
    from labctl.engine.client import connect  # noqa: PLC0415

    try:
        lab = live.find(connect(2.0), context.params.get("name"))
    except LabctlError:
        return []
    return [host.name for host in lab.hosts if host.name.startswith(incomplete)]


def complete_scenario(context: typer.Context, incomplete: str) -> list[str]:
    """Return the scenarios of the lab that is up, or of the one in the current folder."""
    from labctl.engine import live  # noqa: PLC0415
    from labctl.engine.client import connect  # noqa: PLC0415
    from labctl.lab.discover import find  # noqa: PLC0415
    from labctl.lab.load import load  # noqa: PLC0415

    try:
        file = live.find(connect(2.0), context.params.get("name")).file
    except LabctlError:
        file = None
    try:
        scenarios = load(file or find(None, Path.cwd())).x.scenarios
    except LabctlError:
        return []
    return [name for name in scenarios if name.startswith(incomplete)]
