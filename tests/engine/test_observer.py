"""The observer beside a host: it sees everything, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labctl.engine import labels, live
from labctl.engine.client import Engine
from labctl.engine.images import ensure
from labctl.engine.inside import run
from labctl.engine.live import LiveLab
from labctl.engine.passing import passing
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.load import load
from labctl.lab.places import data_root
from labctl.observe.observer import Observer
from labctl.observe.wishes import Wishes as Watching
from labctl.play.observed import attached

from .conftest import labctl, things

PATIENCE = 20.0


def until(holds: Callable[[], object]) -> None:
    """Return when it holds; fail when it does not within PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def lab(engine: Engine, name: str) -> LiveLab:
    """The lab tcp, up."""
    return up(engine, load(data_root() / "labs/tcp/compose.yaml"), Wishes(name), Reporter())


@pytest.fixture
def observer(engine: Engine, lab: LiveLab) -> Iterator[Observer]:
    with attached(engine, lab, Watching(), Reporter()) as observer:
        yield observer


def observers(engine: Engine, name: str) -> list[str]:
    """Return the observers' containers; the volume of each is called as it is, without the `/`."""
    return [thing for thing in things(engine, name) if thing.startswith(f"/{name}.observer-")]


def traced(engine: Engine, lab: LiveLab, host: str) -> bool:
    """Tell whether any process of a host has a tracer (proc(5), TracerPid)."""
    argv = ["sh", "-c", "grep -h TracerPid /proc/[0-9]*/status"]
    said = run(engine, lab.host(host), argv).stdout.decode()
    assert "TracerPid" in said
    return any(line.split()[1] != "0" for line in said.splitlines())


def fetch(engine: Engine, lab: LiveLab) -> int:
    run(engine, lab.host("server"), ["sh", "-c", "echo hello > /srv/files/hello"])
    return run(
        engine, lab.host("client"), ["tcp_client", "server", "hello", "--out", "/tmp/h"]
    ).code


def test_no_observer_is_taken_for_a_host(engine: Engine, lab: LiveLab, observer: Observer) -> None:
    assert len(observers(engine, lab.name)) == 3
    assert {h.name for h in live.find(engine, lab.name).hosts} == {"client", "server", "r1"}


def test_hosts_are_traced_while_observed_and_not_after(
    engine: Engine, lab: LiveLab, observer: Observer
) -> None:
    assert traced(engine, lab, "server")
    observer.end()
    assert not traced(engine, lab, "server")
    assert not any(".observer-" in thing for thing in things(engine, lab.name))
    assert fetch(engine, lab) == 0


def test_a_killed_observer_lets_go_of_what_it_held(
    engine: Engine, lab: LiveLab, observer: Observer
) -> None:
    for sidecar in observers(engine, lab.name):
        engine.sdk.api.kill(sidecar.lstrip("/"), "SIGKILL")
    until(lambda: not observers(engine, lab.name))
    assert not traced(engine, lab, "server")
    assert fetch(engine, lab) == 0


def test_down_takes_observers_along(engine: Engine, lab: LiveLab, observer: Observer) -> None:
    assert labctl("down", lab.name).code == 0
    assert things(engine, lab.name) == []


def test_a_file_never_grows_beyond_its_bound(engine: Engine, lab: LiveLab, tmp_path: Path) -> None:
    bound = 20_000
    with attached(engine, lab, Watching(max_bytes=bound), Reporter()) as observer:
        run(engine, lab.host("server"), ["sh", "-c", "seq 1 900000 > /srv/files/hello"])
        asked = ["tcp_client", "server", "hello", "--out", "/tmp/h"]
        assert run(engine, lab.host("client"), asked).code == 0
        observer.stop(tmp_path)
        notes = observer.hosts["client"].notes
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert max(sizes) <= bound
    assert any("--max-bytes" in note.text and note.missing == ("packets",) for note in notes)


_END_CAPTURES = """
for found in /proc/[0-9]*; do
    read -r name < $found/comm && [ "$name" = tcpdump ] && kill ${found#/proc/}
done
"""


def test_a_capture_that_ended_by_itself_is_told(
    engine: Engine, lab: LiveLab, tmp_path: Path
) -> None:
    with attached(engine, lab, Watching(), Reporter()) as observer:
        sidecar = observer.hosts["client"].sidecar
        run(engine, lab.host("client"), ["true"])
        for name in observers(engine, lab.name):
            made = engine.sdk.api.exec_create(name.lstrip("/"), ["sh", "-c", _END_CAPTURES])
            engine.sdk.api.exec_start(made["Id"])
        until(lambda: not sidecar.ask("captured")["running"])
        observer.stop(tmp_path)
        notes = observer.hosts["client"].notes
    (note,) = (note for note in notes if note.missing)
    assert note.text.startswith("tcpdump ended by itself, what came after is missing")
    assert note.missing == ("packets",)


_FULL_DISK = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, "/opt/agent")
from strace import Straces
child = subprocess.Popen(
    ["sh", "-c", "read go; for _ in $(seq 2000); do : < /dev/null; done"], stdin=subprocess.PIPE
)
straces = Straces(Path("/out"))
straces.attach([child.pid], [], 1 << 30)
child.communicate(b"go\\n")
print(straces.stop())
"""


def test_a_trace_that_met_a_full_disk_is_told(engine: Engine, name: str) -> None:
    def made() -> str:
        container = engine.sdk.containers.create(
            ensure(engine, ["observer"])["observer"],
            ["-c", _FULL_DISK],
            entrypoint=["python3"],
            labels={labels.NAME: name, labels.OWNER: labels.owner()},
            tmpfs={"/out": "size=16k"},
            cap_add=["SYS_PTRACE"],
            network_mode="none",
        )
        return str(container.id)

    with passing(engine, made) as key:
        engine.sdk.api.start(key)
        engine.sdk.api.wait(key, timeout=60)
        said = engine.sdk.api.logs(key).decode()
    assert said == "['the trace of system calls was cut: the disk is full']\n"
