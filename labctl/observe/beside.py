"""Starts and ends the watching of one host: an agent beside it, capturing from the start."""

from __future__ import annotations

from pathlib import Path

from labctl.engine.client import Engine
from labctl.engine.observers import container_of, watch_host
from labctl.errors import MachineError
from labctl.observe.watched import WatchedHost
from labctl.observe.wishes import Wishes

PACKETS = "packets.pcap"
_STOP_TIMEOUT = 60.0


def watch(
    engine: Engine, image: str, lab: str, host: str, container: str, wishes: Wishes, gates: str
) -> WatchedHost:
    """Start an agent beside a host; return when it captures every packet.

    `container` is the container's name, `gates` how the marks of the gates begin that it may
    wait at. Raises MachineError where the host does not run or
    cannot be observed.
    """
    found = container_of(engine, container)
    if not found.first_process:
        raise MachineError(
            f"host {host} of lab {lab} is not running, so it cannot be observed",
            f"`labctl logs {lab}/{host}` tells why.",
        )
    sidecar = watch_host(engine, image, lab, host, found.id)
    try:
        sidecar.ask("gates", begin=gates)
        sidecar.ask("capture", snaplen=wishes.snaplen, max_bytes=wishes.max_bytes)
    except BaseException:
        sidecar.end()
        raise
    return WatchedHost(host, sidecar, found)


def settle(engine: Engine, host: WatchedHost, seconds: float) -> None:
    """Wait until a host has come to rest; one that has ended has."""
    try:
        host.sidecar.ask("settle", seconds + 10, patience=seconds)
    except MachineError:
        if not _ended(engine, host):
            raise


def stop(engine: Engine, host: WatchedHost, folder: Path) -> None:
    """End watching; write what the agent has to the folder, as HOST.FILE.

    With a host its pid namespace ends, and everything in it (pid_namespaces(7)): of one that
    has ended, what the agent beside it had written is gone, and said to be.
    """
    try:
        told = host.sidecar.ask("stop", _STOP_TIMEOUT)
    except MachineError:
        if not _ended(engine, host):
            raise
        host.notes.append("it ended, and with it what its observer had seen of it")
        for name in (PACKETS, *host.threads):
            (folder / f"{host.name}.{name}").touch()
        return
    host.notes += told["notes"]
    host.interfaces = {int(index): ips for index, ips in told["interfaces"].items()}
    for name in told["files"]:
        host.sidecar.fetch(name, folder / f"{host.name}.{name}")


def _ended(engine: Engine, host: WatchedHost) -> bool:
    """Whether the host has ended since it is watched, be it that it was started again."""
    now = container_of(engine, host.container.id)
    return now.first_process != host.container.first_process
