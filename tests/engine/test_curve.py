"""`labctl curve`: a program on a host tells what comes of its load, and it is drawn."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from labctl.engine.client import Engine

from .conftest import Ran, WriteLab, command, labctl

HEAD = {"title": "somebody asks", "of": "questions"}
ROWS = [
    {"load": 10, "asked": 20, "answered": 20, "per_second": 10, "p50": 0.01, "p99": 0.02},
    {"load": 20, "asked": 40, "answered": 31, "per_second": 12, "p50": 1.5, "p99": 3, "more": 1},
]
LINES = "\n".join(map(json.dumps, [HEAD, *ROWS]))


@pytest.fixture
def up(name: str, write_lab: WriteLab) -> str:
    ran = labctl("up", str(write_lab("asker: {<<: *host}")), "--name", name)
    assert ran.code == 0, ran.err
    return name


def curve(name: str, script: str, *options: str) -> Ran:
    return labctl("curve", "asker", "--name", name, *options, "--", "sh", "-c", script)


def test_a_curve_from_a_host_in_every_form(up: str, tmp_path: Path) -> None:
    files = [tmp_path / f"c{suffix}" for suffix in (".svg", ".png", ".txt", ".json")]
    words = [word for file in files for word in ("-o", str(file))]
    ran = curve(up, f"echo '{LINES}'", *words, "--json")
    assert ran.code == 0, ran.err
    (told,) = ran.json
    assert (told["title"], told["of"]) == ("somebody asks", "questions")
    assert [point["answered"] for point in told["points"]] == [20, 31]
    assert json.loads(files[3].read_text()) == ran.json
    assert all(file.stat().st_size > 0 for file in files)
    drawn = labctl("curve", "--with", str(files[3]))
    assert drawn.code == 0
    assert "answers a second" in drawn.out
    assert "it kept up with 10, not with 20" in drawn.out

    failed = curve(up, f"echo '{LINES}'; echo the server is gone >&2; exit 1")
    assert failed.code == 1
    assert "has failed: the server is gone" in failed.err
    assert "it kept up with 10, not with 20" in failed.out

    late = curve(up, f"echo '{LINES}'; exec sleep 999", "--timeout", "5")
    assert late.code == 1
    assert "did not end within 5 s" in late.err
    assert "missing: what would have come after 20 questions a second" in late.err
    assert "it kept up with 10, not with 20" in late.out
    left = labctl("exec", "asker", "--name", up, "--", "pgrep", "-f", "^sleep 999")
    assert left.code == 1, "it was not ended"

    for script in ("true", "echo nonsense", "no-such-program"):
        ran = curve(up, script)
        assert (ran.code, "Traceback" in ran.err) == (1, False), ran.err


def begun(name: str, file: Path) -> subprocess.Popen[str]:
    """Begin a curve that does not end; return when its last row was told."""
    script = f"echo '{LINES}'; exec sleep 999"
    argv = command("curve", "asker", "--name", name, "-o", str(file), "--", "sh", "-c", script)
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for _ in range(1 + len(ROWS)):
        assert child.stderr.readline()
    return child


def test_what_was_measured_outlives_an_interrupt_and_its_host(
    up: str, engine: Engine, tmp_path: Path
) -> None:
    missing = "missing: what would have come after 20 questions a second"
    for number, code in ((signal.SIGINT, 130), (None, 3)):
        file = tmp_path / f"{code}.json"
        child = begun(up, file)
        if number is None:
            engine.sdk.containers.get(f"{up}-asker").kill()
        else:
            child.send_signal(number)
        out, err = child.communicate(timeout=60)
        assert child.returncode == code, err
        assert missing in err
        assert "it kept up with 10, not with 20" in out
        assert len(json.loads(file.read_text())[0]["points"]) == len(ROWS)
    assert "host asker of lab" in err
