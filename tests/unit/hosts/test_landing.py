"""Where a copy goes (docker-cp(1))."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from labctl.engine.landing import Place, Source, contents_only, landing, split
from labctl.errors import UsageError

THERE = {"/": True, "/d": True, "/d/f": False, "/d/sub": True, "/file": False}
FILE = Source("f", False, False, 3, iter(()))
FOLDER = Source("sub", True, False, None, iter(()))
CONTENTS = Source("sub", True, True, None, iter(()))


def land(
    source: Source, path: str, there: Mapping[str, bool] | None = None
) -> tuple[str, str | None]:
    known = there or THERE
    clean = path.rstrip("/") or "/"
    return landing(Place(None, clean), path.endswith("/"), source, known.get)


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        (FILE, "/d", ("/d", "f")),  # over the file that is there
        (FILE, "/d/", ("/d", "f")),
        (FILE, "/", ("/", "f")),
        (FILE, "/new", ("/", "new")),
        (FILE, "/file", ("/", "file")),
        (FOLDER, "/d", ("/d", "sub")),  # into the folder that is there
        (FOLDER, "/new", ("/", "new")),
        (FOLDER, "/new/", ("/", "new")),
        (CONTENTS, "/d", ("/d", None)),
        (CONTENTS, "/new", ("/", "new")),
    ],
)
def test_lands(source: Source, path: str, expected: tuple[str, str | None]) -> None:
    assert land(source, path) == expected


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        (FILE, "/no/such", "there is no folder /no to copy to"),
        (FOLDER, "/no/such", "there is no folder /no to copy to"),
        (FILE, "/new/", "there is no folder /new to copy to"),
        (FOLDER, "/file", "/file is a file, the source is a folder"),
        (CONTENTS, "/file", "/file is a file, the source is a folder"),
        (FILE, "/file/x", "there is no folder /file to copy to"),
    ],
)
def test_cannot_land(source: Source, path: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        land(source, path)
    assert caught.value.message == words
    assert caught.value.hint


def test_a_file_does_not_replace_a_folder_nor_a_folder_a_file() -> None:
    with pytest.raises(UsageError, match="/d has a folder named f"):
        land(FILE, "/d", {"/d": True, "/d/f": True})
    with pytest.raises(UsageError, match="/d has a file named sub"):
        land(FOLDER, "/d", {"/d": True, "/d/sub": False})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("host:/etc/x", ("host", "/etc/x")),
        ("lab/peer-1:x:y", ("lab/peer-1", "x:y")),
        ("host:", ("host", "")),
        ("./a:b", (None, "./a:b")),
        ("/a:b", (None, "/a:b")),
        ("../a:b", (None, "../a:b")),
        ("a/b/c:d", (None, "a/b/c:d")),
        ("plain", (None, "plain")),
        (":x", (None, ":x")),
    ],
)
def test_hosts_and_paths(told: str, expected: tuple[str | None, str]) -> None:
    assert split(told) == expected


@pytest.mark.parametrize(
    ("path", "only"), [("a/.", True), (".", True), ("a", False), ("a/", False)]
)
def test_contents_only(path: str, only: bool) -> None:
    assert contents_only(path) is only
