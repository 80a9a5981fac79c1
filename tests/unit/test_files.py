"""Where what is drawn or captured is written: whole, and never in the place of a device."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.cli.files import require_writable, write_whole
from labctl.errors import MachineError


def broken() -> Iterator[bytes]:
    yield b"half"
    raise MachineError("no more", "")


def test_a_device_stays_one() -> None:
    require_writable(Path("/dev/null"))
    assert write_whole(Path("/dev/null"), [b"a", b"bc"]) == 3
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    require_writable(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()), daemon=True)
    reader.start()
    assert write_whole(fifo, [b"a", b"bc"]) == 3
    reader.join(10)
    assert read == [b"abc"]
    assert fifo.is_fifo()


def test_a_link_leads_to_the_new_file(tmp_path: Path) -> None:
    target, link = tmp_path / "x" / "a", tmp_path / "link"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    require_writable(link)
    write_whole(link, [b"new"])
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_of_the_users_is_not_taken_for_a_half_written_one(tmp_path: Path) -> None:
    own = tmp_path / ".a.svg.part"
    own.write_text("mine")
    require_writable(tmp_path / "a.svg")
    write_whole(tmp_path / "a.svg", [b"new"])
    assert own.read_text() == "mine"


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    with pytest.raises(MachineError, match="no more"):
        write_whole(file, broken())
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
    assert file.read_text() == "old"


def test_a_link_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(MachineError, match="cannot be written"):
        write_whole(tmp_path / "a" / "x", [b"new"])
