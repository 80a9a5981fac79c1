"""Labs that are up, as a table and as JSON. Pure."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from labctl.engine.live import LiveHost, LiveLab, State

_STATE_STYLES = {
    State.READY: "green",
    State.COMING: "yellow",
    State.STOPPED: "red",
    State.LEFT_OVER: "red",
    State.ELSEWHERE: "yellow",
}


def as_json(lab: LiveLab) -> dict[str, Any]:
    """Return a lab as `ps --json` shows it."""
    return {
        "name": lab.name,
        "lab": lab.lab,
        "file": str(lab.file),
        "state": lab.state.value,
        "networks": lab.networks,
        "hosts": [
            {
                "host": host.name,
                "state": host.state,
                "status": host.status,
                "image": host.image,
                "addresses": host.addresses,
                "container": host.container,
                "id": host.container_id,
            }
            for host in lab.hosts
        ],
    }


def table(labs: list[LiveLab]) -> Table:
    """Return a table of labs and hosts, one host a row."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("NAME", "LAB", "STATE", "HOST", "IS", "ADDRESSES"):
        result.add_column(column, overflow="fold")
    for lab in labs:
        state = f"[{_STATE_STYLES[lab.state]}]{lab.state.value}"
        rows = [(host.name, host.status, _addresses(host)) for host in lab.hosts] or [("", "", "")]
        for index, row in enumerate(rows):
            head = (lab.name, lab.lab, state) if index == 0 else ("", "", "")
            result.add_row(*head, *row)
    return result


def _addresses(host: LiveHost) -> str:
    return " ".join(f"{net}={ip}" for net, ip in host.addresses.items() if ip)
