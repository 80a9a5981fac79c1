"""The program that copies a file: whatever the buffer, and whatever is wrong with the files."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

NETPROG = Path(__file__).parents[3] / "images" / "host" / "netprog"


def copy_file(*words: object, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(NETPROG / "copy_file.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("buffer", [1, 3, 4096, 1 << 20])
@pytest.mark.parametrize("size", [0, 1, 4096, 10_001])
def test_the_copy_is_the_same(tmp_path: Path, size: int, buffer: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    target.write_bytes(b"longer than what comes" * 1000)
    done = copy_file(source, target, "--buffer", buffer)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{size} bytes, {buffer} at a time\n"
    assert target.read_bytes() == source.read_bytes()


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    link = tmp_path / "link"
    link.symlink_to(file)
    for source, target, words in (
        (tmp_path / "none", tmp_path / "x", "none: No such file or directory"),
        (file, tmp_path / "no/x", "x: No such file or directory"),
        (file, tmp_path, "Is a directory"),
        (tmp_path, tmp_path / "x", "after 0 bytes: Is a directory"),
        (file, file, "are one file"),
        (file, link, "are one file"),
        (file, "/dev/full", "after 0 bytes: No space left on device"),
    ):
        done = copy_file(source, target)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert words in done.stderr
    assert file.read_text() == "text"


@pytest.mark.parametrize("buffer", ["0", "-1", "x", "", "1073741825", "99999999999"])
def test_a_buffer_must_be_a_number_of_bytes(tmp_path: Path, buffer: str) -> None:
    done = copy_file("a", "b", "--buffer", buffer)
    assert done.returncode == 2
    assert "--buffer" in done.stderr


def test_a_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = copy_file("/dev/zero", tmp_path / "x", "--buffer", "60", preexec_fn=limit)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "File too large" in done.stderr


def test_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, str(NETPROG / "copy_file.py"), str(pipe), str(tmp_path / "x")]
    # The pipe opens when it has opened the other end.
    with subprocess.Popen(command) as running, pipe.open("wb"):
        running.terminate()
        assert running.wait(10) == -signal.SIGTERM
