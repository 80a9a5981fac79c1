"""Disk, memory, and how the machine's bridges are filtered."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from labctl.engine.doctor.model import Check, Fix, Look, Machine, State

_GIB = 1 << 30
_DISK_NEEDED, _DISK_WANTED = _GIB // 2, 2 * _GIB  # the images take some 300 MiB
_MEMORY_NEEDED, _MEMORY_WANTED = _GIB // 4, _GIB
_MEMINFO = Path("/proc/meminfo")
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_ELSEWHERE = "the engine is not on this machine"


def disk(machine: Machine) -> list[Check]:
    """Look at the space that is free where the engine keeps images and containers."""
    engine = machine.reached
    root = str(engine.sdk.info().get("DockerRootDir", ""))
    try:
        free = shutil.disk_usage(root).free if engine.local and root else None
    except OSError:  # Docker Desktop: the folder is in its virtual machine
        free = None
    if free is None:
        return [Check("disk", State.NOT_CHECKED, _ELSEWHERE)]
    return [judge_disk(free, root)]


def judge_disk(free: int, root: str) -> Check:
    """Return the check for `free` bytes in the engine's folder `root`."""
    found = f"{free / _GIB:.1f} GiB free in {root}"
    fix = Fix("Remove what is not used: see `docker system df`", "docker image prune")
    if free < _DISK_NEEDED:
        return Check("disk", State.FAILED, found, "images cannot be built", fix)
    if free < _DISK_WANTED:
        return Check("disk", State.WARNING, found, "large files will not fit on hosts", fix)
    return Check("disk", State.OK, found)


def memory(machine: Machine) -> list[Check]:
    """Look at the memory that the engine's machine has, and what of it is available."""
    total = int(machine.reached.sdk.info().get("MemTotal") or 0)
    available = None
    if machine.reached.local and _MEMINFO.exists():
        available = read_available(_MEMINFO.read_text())
    return [judge_memory(total, available)]


def read_available(meminfo: str) -> int | None:
    """Return MemAvailable of /proc/meminfo (proc_meminfo(5)) in bytes."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def judge_memory(total: int, available: int | None) -> Check:
    """Return the check for bytes of memory; `available` None where it cannot be read."""
    usable = total if available is None else min(total, available)
    found = f"{usable / _GIB:.1f} GiB available of {total / _GIB:.1f} GiB"
    if available is None:
        found = f"{total / _GIB:.1f} GiB"
    fix = Fix("End other programs, or give the engine's virtual machine more memory")
    if usable < _MEMORY_NEEDED:
        return Check("memory", State.FAILED, found, "hosts will be killed for lack of it", fix)
    if usable < _MEMORY_WANTED:
        return Check("memory", State.WARNING, found, "only small labs will fit", fix)
    return Check("memory", State.OK, found)


def bridge_filter(machine: Machine) -> list[Check]:
    """Tell whether frames on bridges pass the machine's packet filter; labs work either way."""
    name = "bridge filter"
    if not machine.reached.local:
        return [Check(name, State.NOT_CHECKED, _ELSEWHERE)]
    on = _BRIDGE_FILTER.exists() and _BRIDGE_FILTER.read_text().strip() == "1"
    if not on:
        return [Check(name, State.OK, "off (net.bridge.bridge-nf-call-iptables)")]
    means = (
        "an internal network drops what a router forwards, so labctl gives networks with "
        "a router a bridge without an address of this machine instead"
    )
    return [Check(name, State.OK, "on (net.bridge.bridge-nf-call-iptables = 1)", means)]


LOOKS = (
    Look(("disk",), disk),
    Look(("memory",), memory),
    Look(("bridge filter",), bridge_filter),
)
