"""The recordings of the folder `recorded`: made by record.sh on the lab tcp."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from labctl.observe import capture
from labctl.observe.capture import Capture, Joined

FOLDER = Path(__file__).parent / "recorded"
FILES = sorted(FOLDER.glob("*.pcap"))
INTERFACES = {
    "client": {1: "lo", 1845: "clients"},
    "r1": {1: "lo", 1849: "clients", 1847: "servers"},
    "server": {1: "lo", 1843: "servers"},
    "alone": {1: "lo"},
}
ROUTERS = ["r1"]


@cache
def captures(name: str, *hosts: str) -> dict[str, Capture]:
    """Return the captures of a recording, by host: those of all hosts, or of some."""
    files = {file.name.split(".")[1]: file for file in FOLDER.glob(f"{name}.*.pcap")}
    return {host: capture.read(files[host]) for host in sorted(hosts or files)}


@cache
def joined(name: str, *hosts: str) -> Joined:
    return capture.segments(captures(name, *hosts), INTERFACES, ROUTERS)


def oracle(file: Path) -> list[dict[str, str]]:
    """Return what tshark reads from a capture: of each packet its fields, as text."""
    with file.with_suffix(".tsv").open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))
