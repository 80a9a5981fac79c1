"""How long `labctl up` and `down` take beside `docker compose up --wait` and `down`.

    .venv/bin/python benchmarks/up.py [--hosts 10,50,100] [--rounds 3] [--json]

Both bring the same lab file up in the same run, in turn, on one internal network; each
figure is the median over the rounds. Read the ratios, not the seconds: a shared machine
makes all of them longer or shorter together. Below 1 labctl is the quicker one.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAB = """\
name: {name}
x-lab: {{title: hosts that only sleep}}
services:
  h:
    image: labctl-host
    command: [sleep, infinity]
    user: "1000:1000"
    cap_drop: [ALL]
    init: true
    scale: {hosts}
    networks: [lan]
networks:
  lan: {{internal: true, ipam: {{config: [{{subnet: 10.199.0.0/24}}]}}}}
"""


def seconds(*argv: str) -> float:
    """Run a command to its end and return how long it took; it must succeed."""
    begun = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - begun


def measure(hosts: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of each command for a lab of so many hosts."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "compose.yaml"
        name = f"bench{secrets.token_hex(3)}"
        file.write_text(LAB.format(name=name, hosts=hosts))
        labctl = (sys.executable, "-m", "labctl")
        compose = ("docker", "compose", "-f", str(file))
        commands = {
            "labctl up": (*labctl, "up", str(file)),
            "labctl down": (*labctl, "down", name),
            "compose up": (*compose, "up", "-d", "--wait"),
            "compose down": (*compose, "down"),
        }
        for _ in range(rounds):
            for key, argv in commands.items():
                taken.setdefault(key, []).append(seconds(*argv))
    return {key: statistics.median(times) for key, times in taken.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", default="10,50,100")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    os.environ.pop("COMPOSE_FILE", None)
    rows = []
    for hosts in (int(text) for text in told.hosts.split(",")):
        row: dict[str, float] = {"hosts": hosts, **measure(hosts, told.rounds)}
        row["up ratio"] = row["labctl up"] / row["compose up"]
        row["down ratio"] = row["labctl down"] / row["compose down"]
        rows.append(row)
        if not told.json:
            print("  ".join(f"{key} {value:.3g}" for key, value in row.items()), flush=True)
    if told.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
