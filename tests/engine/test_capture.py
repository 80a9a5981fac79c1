"""`labctl capture` on a lab that is up: however it ends, the file has the packets."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.engine.inside import run
from labctl.engine.live import LiveLab
from labctl.engine.up import Reporter, Wishes, up
from labctl.lab.load import load
from labctl.lab.places import data_root

from .conftest import command, labctl, things

PATIENCE = 60.0


@pytest.fixture
def lab(engine: Engine, name: str) -> LiveLab:
    """The lab tcp, up."""
    return up(engine, load(data_root() / "labs/tcp/compose.yaml"), Wishes(name), Reporter())


class Capturing:
    """A `labctl capture` that runs, from when it captures."""

    def __init__(self, lab: LiveLab, where: str, *options: str) -> None:
        argv = command("capture", f"{lab.name}/{where}", "--json", *options)
        self._child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._child.stderr is not None
        self.said = b""
        for line in self._child.stderr:
            self.said += line
            if line.startswith(b"capturing on"):
                return
        pytest.fail(self.said.decode())

    def end(self, number: int | None = None) -> tuple[int, bytes, bytes]:
        """Let it end, by a signal or by itself; return its exit code, output and errors."""
        if number is not None:
            self._child.send_signal(number)
        output, errors = self._child.communicate(timeout=PATIENCE)
        return self._child.returncode, output, errors


def fetch(engine: Engine, lab: LiveLab) -> None:
    run(engine, lab.host("server"), ["sh", "-c", "echo hello > /srv/files/hello"])
    argv = ["tcp_client", "server", "hello", "--out", "/tmp/h"]
    assert run(engine, lab.host("client"), argv).code == 0


def comments(content: bytes) -> Iterator[str]:
    """Yield the comment of each packet of a pcapng file (draft-ietf-opsawg-pcapng)."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        if kind == 6:
            kept = struct.unpack_from("<I", content, at + 20)[0]
            option = at + 28 + kept + -kept % 4
            code, length = struct.unpack_from("<HH", content, option)
            assert code == 1
            yield content[option + 4 : option + 4 + length].decode()
        at += size


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_host_until_a_signal(engine: Engine, lab: LiveLab, tmp_path: Path, number: int) -> None:
    file = tmp_path / "x.pcapng"
    capturing = Capturing(lab, "client", "-w", str(file))
    fetch(engine, lab)
    code, output, errors = capturing.end(number)
    assert code == 0, errors
    summary = json.loads(output)
    seen = list(comments(file.read_bytes()))
    assert summary["hosts"] == {"client": len(seen)}
    assert summary["packets"] == len(seen) >= 10
    assert summary["bytes"] > 10 * 52
    assert {one.partition(":")[0].partition(",")[0] for one in seen} == {"client"}
    assert {one.rpartition(" ")[2] for one in seen} == {"sent", "received"}
    assert not [thing for thing in things(engine, lab.name) if ".observer-" in thing]


def test_a_network_until_so_many_packets(engine: Engine, lab: LiveLab, tmp_path: Path) -> None:
    file = tmp_path / "x.pcapng"
    network = next(iter(lab.host("client").addresses))
    capturing = Capturing(lab, network, "-w", str(file), "--count", "9")
    fetch(engine, lab)
    code, output, errors = capturing.end()
    assert code == 0, errors
    summary = json.loads(output)
    assert summary["packets"] == sum(summary["hosts"].values()) == 9
    assert set(summary["hosts"]) == {"client", "r1"}
    assert {one.partition(":")[0] for one in comments(file.read_bytes())} == {
        f"client, {network}",
        f"r1, {network}",
    }


def test_to_standard_output_until_a_time(engine: Engine, lab: LiveLab) -> None:
    begin = time.monotonic()
    capturing = Capturing(lab, "server", "-w", "-", "--timeout", "4")
    fetch(engine, lab)
    code, output, errors = capturing.end()
    assert code == 0, errors
    assert 4 <= time.monotonic() - begin < PATIENCE
    assert len(list(comments(output))) == json.loads(errors)["packets"]


def test_until_it_is_too_large(engine: Engine, lab: LiveLab, tmp_path: Path) -> None:
    capturing = Capturing(lab, "client", "-w", str(tmp_path / "x"), "--max-bytes", "65536")
    run(engine, lab.host("server"), ["sh", "-c", "seq 1 90000 > /srv/files/hello"])
    argv = ["tcp_client", "server", "hello", "--out", "/tmp/h"]
    assert run(engine, lab.host("client"), argv).code == 0
    code, output, errors = capturing.end()
    assert code == 0, errors
    summary = json.loads(output)
    assert any("--max-bytes" in notice for notice in summary["notices"])
    assert 0 < (tmp_path / "x").stat().st_size < 3 * 65536


def test_wrong_names_and_files(lab: LiveLab, tmp_path: Path) -> None:
    wrong = labctl("capture", f"{lab.name}/cliend", "-w", str(tmp_path / "x"))
    assert wrong.code == 2
    assert "did you mean `client`" in wrong.err
    nowhere = labctl("capture", f"{lab.name}/client", "-w", str(tmp_path / "none" / "x"))
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err
