"""`labctl syscalls` as a user has it: against `strace -c -f` alone, and every form of output."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import down, live
from labctl.engine.client import Engine
from labctl.engine.inside import run
from tests.unit.show.figure.reading import parsed

from .conftest import labctl

COPY = "dd if=/dev/zero of=/dev/null bs=1 count=300 2> /dev/null; (exit 3); cat /dev/null"
"""A shell's text whose processes make the same calls each time."""
COMPUTE = """
import resource
total = 0
while (used := resource.getrusage(resource.RUSAGE_SELF)).ru_utime < 0.3:
    total += sum(range(10_000))
print("used", used.ru_utime + used.ru_stime)
"""
WAIT = """
import socket
ours, theirs = socket.socketpair()
print("waits now", flush=True)
ours.recv(1)
"""

LAB = {
    "name": "crossings",
    "x-lab": {
        "title": "a lab of a test",
        "scenarios": {
            "copy": {"steps": [{"name": "copy", "host": "host", "run": COPY}]},
            "wait": {
                "steps": [
                    {
                        "host": "host",
                        "run": ["python3", "-c", WAIT],
                        "background": True,
                        "name": "wait",
                    },
                    {
                        "host": "host",
                        "run": ["false"],
                        "name": "fails",
                        "when": {"output": {"step": "wait", "contains": "waits now"}},
                    },
                ]
            },
        },
    },
    "services": {
        "host": {
            # The image with strace in it: so the oracle can count on the very same host.
            "image": "labctl-observer",
            "command": ["sleep", "infinity"],
            "cap_drop": ["ALL"],
            "cap_add": ["SYS_PTRACE"],
            "networks": ["lan"],
        }
    },
    "networks": {"lan": {"internal": True}},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab file; JSON is YAML too."""
    made = tmp_path_factory.mktemp("crossings") / "compose.yaml"
    made.write_text(json.dumps(LAB))
    return made


@pytest.fixture(scope="module")
def lab(engine: Engine, file: Path) -> Iterator[live.LiveLab]:
    """The lab, up."""
    name = f"t{secrets.token_hex(4)}"
    came = labctl("up", str(file), "--name", name)
    assert came.code == 0, came.err
    yield live.find(engine, name)
    down.down(engine, name)


def counted(engine: Engine, lab: live.LiveLab) -> dict[str, int]:
    """Return how many calls strace itself counts, by name; only those that returned."""
    # By a shell, as the gate is one: it sets PWD, which the next shell looks at.
    strace = 'exec strace -c -f -o /tmp/counts "$@"'
    argv = ["/bin/sh", "-c", strace, "sh", "/bin/sh", "-c", COPY]
    assert run(engine, lab.host("host"), argv).code == 0
    told = run(engine, lab.host("host"), ["cat", "/tmp/counts"]).stdout.decode()
    rows = (line.split() for line in told.splitlines()[2:-2])
    return {row[-1]: int(row[3]) for row in rows}


def returned(processes: list[dict[str, Any]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for process in processes:
        for kind in process["kinds"]:
            found[kind["name"]] += kind["calls"] - kind["unreturned"]
    return dict(+found)


@pytest.mark.parametrize("tracer", ["strace", "tracefs"])
def test_it_counts_what_strace_alone_counts(engine: Engine, lab: live.LiveLab, tracer: str) -> None:
    words = ["--host", "host", "--tracer", tracer, "--json", "--", "/bin/sh", "-c", COPY]
    done = labctl("syscalls", f"{lab.name}/host", *words)
    assert done.code == 0, done.err
    made = [one for one in done.json["processes"] if "sleep" not in one["program"]]
    assert returned(made) == counted(engine, lab)
    assert done.json["tracer"] == tracer
    (dd,) = [one for one in made if one["program"].endswith(("dd", "count=300"))]
    reads = next(kind for kind in dd["kinds"] if kind["name"] == "read")
    assert reads["bytes"] >= 300
    for one in made:
        assert one["inside"] + one["outside"] == one["lifetime"]
        assert one["working"] + one["waiting"] == one["inside"]


def stolen(engine: Engine, lab: live.LiveLab) -> float:
    """Seconds that a hypervisor has taken from this machine's processors (proc(5), /proc/stat)."""
    read = "head -n 1 /proc/stat; getconf CLK_TCK"
    told = run(engine, lab.host("host"), ["sh", "-c", read]).stdout.split()
    return int(told[8]) / int(told[-1])


def test_processor_time_is_that_of_getrusage(engine: Engine, lab: live.LiveLab) -> None:
    words = ["--tracer", "tracefs", "--json", "--", "python3", "-c", COMPUTE]
    before = stolen(engine, lab)
    done = labctl("syscalls", f"{lab.name}/host", *words)
    lost = stolen(engine, lab) - before
    assert done.code == 0, done.err
    said = re.search(r"used (\d+\.\d+)$", done.err, re.MULTILINE)
    assert said is not None, done.err
    used = float(said[1])
    (python,) = [one for one in done.json["processes"] if "python3" in one["program"]]
    told = (python["user"] + python["system"]) / 1e9
    # getrusage also counts the shell at the gate; ours also the end of the program.
    # Ours has what a hypervisor took meanwhile as well; getrusage has not.
    assert used - 0.08 <= told <= used + 0.08 + lost
    assert python["user"] > python["system"]


def test_all_forms_and_the_table(file: Path, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"seen.{kind}" for kind in ("svg", "html", "txt")}
    outputs = [word for one in files.values() for word in ("-o", str(one))]
    done = labctl("syscalls", str(file), "-s", "copy", "--kinds", "99", "--calls", *outputs)
    assert done.code == 0, done.out + done.err
    assert set(tmp_path.iterdir()) == set(files.values())
    assert "dd if=/dev/zero" in done.out
    assert re.search(r"^read +30\d ", done.out, re.MULTILINE)
    drawn = "".join(parsed(files["svg"].read_text()).itertext())
    assert "user space" in drawn
    assert "kernel" in drawn
    assert "read" in drawn
    page = files["html"].read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "system calls" in files["txt"].read_text()


def test_a_step_that_fails_is_told_with_what_was_seen(file: Path) -> None:
    done = labctl("syscalls", str(file), "-s", "wait", "--json")
    assert done.code == 1
    assert not done.json["passed"]
    (waits,) = [one for one in done.json["processes"] if "recv" in one["program"]]
    received = next(kind for kind in waits["kinds"] if kind["name"] == "recvfrom")
    assert received["unreturned"] == 1
    assert received["waiting"] > received["working"]


def test_wrong_usage_brings_nothing_up(file: Path) -> None:
    for words in (["--tracer", "ltrace"], ["-o", "x.png"], ["-o", "/no/such/x.svg"]):
        done = labctl("syscalls", str(file), *words)
        assert done.code == 2, done.err
        assert done.err.startswith("error: ")
        assert len(done.err.splitlines()) == 2
