"""The mirrors for a base image are read from what apt-get tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.engine.images.sources import Source, parse

DEBIAN = """\
http://mirror.example/debian/|bookworm|main|Debian
http://mirror.example/debian/|bookworm|main|Debian
http://mirror.example/debian/|bookworm|contrib|Debian
http://mirror.example/debian/|bookworm-updates|main|Debian
http://mirror.example/debian-security/|bookworm-security|main|Debian
http://mirror.example/debian/|bookworm-backports|main|Debian Backports
http://mirror.example/debian/|trixie|main|Debian
https://vendor.example/linux/|bookworm|main|Vendor
cdrom://Debian/|bookworm|main|Debian
"""


def lines(listing: str, suite: str) -> list[str]:
    return [str(source) for source in parse(listing, suite)]


def test_the_suite_its_updates_and_its_security_updates_are_taken_once() -> None:
    assert lines(DEBIAN, "bookworm") == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
        "deb http://mirror.example/debian-security bookworm-security main",
    ]


def test_another_suite_has_its_own() -> None:
    assert lines(DEBIAN, "trixie") == ["deb http://mirror.example/debian trixie main"]
    assert lines(DEBIAN, "sarge") == []


def test_ubuntu_is_taken_with_its_own_mirror() -> None:
    listing = "http://ports.example/ubuntu-ports/|noble|main|Ubuntu\n"
    assert parse(listing, "noble") == [Source("http://ports.example/ubuntu-ports", "noble", "main")]


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        ("http://mirror.example/debian/", True),
        ("http://mirror.example/some/debian-security/", True),
        ("https://vendor.example/", False),
        ("https://vendor.example/linux/", False),
    ],
)
def test_before_the_first_update_the_path_tells_the_distribution(uri: str, taken: bool) -> None:
    listing = f"{uri}|bookworm|main|$(ORIGIN)\n"
    assert bool(parse(listing, "bookworm")) == taken


def test_a_list_of_mirrors_gives_its_first(tmp_path: Path) -> None:
    mirrors = tmp_path / "debian.list"
    mirrors.write_text("https://one.example/debian/\nhttps://two.example/debian/\n", "utf-8")
    listing = f"mirror+file:{mirrors}/|bookworm|main|Debian\n"
    assert lines(listing, "bookworm") == ["deb https://one.example/debian bookworm main"]
    mirrors.unlink()
    assert lines(listing, "bookworm") == []


def test_lines_that_apt_did_not_fill_are_passed_over() -> None:
    assert parse("\nE: something\nhttp://mirror.example/debian|bookworm\n", "bookworm") == []
