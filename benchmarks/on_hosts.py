"""What the benchmarks share that bring a lab up and have several systems take turns in it."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.engine.live import LiveHost
from labctl.engine.shield import term_interrupts
from labctl.errors import LabctlError, MachineError

Found = TypeVar("Found")

START = """
port=$1; shift
"$@" > "/dev/shm/$port.log" 2>&1 & server=$!
until listening "$port"; do
    kill -0 "$server" || { cat "/dev/shm/$port.log" >&2; exit 1; }
    sleep 0.05
done
"""
"""Starts a server in the background (after `sh`: its port, its words); ends when it listens."""


def measured(bench: Callable[[], Found]) -> Found:
    """Return what a benchmark finds; end the program with one line and the right code otherwise."""
    os.environ.pop("COMPOSE_FILE", None)
    try:
        with term_interrupts():
            return bench()
    except LabctlError as error:
        print(f"{error.message}\n{error.hint}".rstrip(), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def output(engine: Engine, host: LiveHost, argv: Sequence[str], timeout: float) -> str:
    """Return what a command says on a host. Raises MachineError where it fails."""
    done = run(engine, host, argv, timeout=timeout)
    if done.code != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise MachineError(f"on {host.name}: `{' '.join(argv[-6:])}` failed: {said}")
    return done.stdout.decode()


def order(names: Sequence[str], turn: int) -> list[str]:
    """Return the names in the order of a round: each pair begins one further, there and back."""
    start = turn // 2 % len(names)
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if turn % 2 else turned


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over the rounds of one value by the other of the same round."""
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def ticks() -> list[int]:
    """Return what the kernel says of all processors together (proc_stat(5), the line `cpu`)."""
    line, *_ = Path("/proc/stat").read_text().splitlines()
    return [int(word) for word in line.split()[1:]]


def share_idle(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the idle share between two readings of `ticks`."""
    grown = [late - early for early, late in zip(before, after, strict=True)]
    return (grown[3] + grown[4]) / max(sum(grown[:8]), 1)
