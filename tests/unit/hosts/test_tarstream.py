"""Archives as streams, and what of them is written to this machine."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.engine import tarstream
from labctl.engine.discarding import discard
from labctl.engine.unpack import unpack
from labctl.errors import UsageError

CHUNKS = st.integers(1, 5000)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "data").write_bytes(os.urandom(70_000))
    (folder / "zero").touch()
    (folder / "sub" / ("näme " * 30)).write_text("x")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o4755)
    (folder / "link").symlink_to("sub")
    return folder


def cut(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[i : i + size] for i in range(0, len(data), size))


def packed(folder: Path, root: str = "root") -> bytes:
    return b"".join(tarstream.encode(tarstream.walk(folder, root)))


def listed(folder: Path) -> dict[str, bytes | str | None]:
    return {
        str(p.relative_to(folder)): str(p.readlink())
        if p.is_symlink()
        else p.read_bytes()
        if p.is_file()
        else None
        for p in folder.rglob("*")
    }


def test_tar_reads_what_is_written(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    subprocess.run(
        ["tar", "-xpf", "-", "-C", str(tmp_path / "out")], input=packed(tree), check=True
    )
    assert listed(tmp_path / "out" / "root") == listed(tree)
    assert (tmp_path / "out" / "root" / "run").stat().st_mode & 0o7777 == 0o4755


@pytest.mark.parametrize("size", [1, 511, 512, 100_000, 1 << 30])
def test_it_comes_back_however_it_is_cut(tree: Path, tmp_path: Path, size: int) -> None:
    entries = tarstream.decode(cut(packed(tree), size))
    assert unpack(tarstream.moved(entries, "back"), tmp_path, "back") == []
    assert listed(tmp_path / "back") == listed(tree)
    assert (tmp_path / "back" / "run").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "back" / "data").stat().st_mtime == int((tree / "data").stat().st_mtime)


def test_contents_only_leave_out_the_folder(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    unpack(tarstream.moved(tarstream.walk(tree, "x"), None), tmp_path / "out", None)
    assert listed(tmp_path / "out") == listed(tree)


def test_a_folder_that_is_there_gains_what_is_new(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "sub").mkdir(parents=True)
    (target / "kept").write_text("kept")
    (target / "zero").write_text("old")
    unpack(tarstream.walk(tree, "target"), tmp_path, "target")
    assert listed(target) == {**listed(tree), "kept": b"kept"}


def test_owners_are_changed_and_names_of_owners_go(tree: Path) -> None:
    entries = tarstream.owned(tarstream.walk(tree, "t"), 1000, 1001)
    with tarfile.open(fileobj=io.BytesIO(b"".join(tarstream.encode(entries)))) as archive:
        assert {(m.uid, m.gid, m.uname, m.gname) for m in archive} == {(1000, 1001, "", "")}


def test_long_names_and_hard_links_are_renamed_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / ("a" * 200)).write_text("one")
    os.link(source / ("a" * 200), source / "second")
    made = subprocess.run(
        ["tar", "--format=pax", "-C", str(tmp_path), "-cf", "-", "source"],
        capture_output=True,
        check=True,
    ).stdout
    assert unpack(tarstream.moved(tarstream.decode([made]), "other"), tmp_path, "other") == []
    assert listed(tmp_path / "other") == listed(source)


def test_a_whole_system_has_names_that_begin_with_a_slash(tmp_path: Path) -> None:
    def entries() -> Iterator[tarstream.Entry]:
        for name in ("", "/etc", "/etc/hostname"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.REGTYPE if name.endswith("e") else tarfile.DIRTYPE
            yield info, io.BytesIO(b"") if info.isreg() else None

    unpack(tarstream.moved(entries(), "host"), tmp_path, "host")
    assert listed(tmp_path / "host") == {"etc": None, "etc/hostname": b""}


def test_sockets_and_pipes_are_left_out(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        before = Path.cwd()
        os.chdir(tree)  # a socket's path has 108 bytes at most (unix(7))
        try:
            unix.bind("socket")
        finally:
            os.chdir(before)
    names = [info.name for info, _ in tarstream.walk(tree, "t")]
    assert "t/data" in names
    assert not {"t/pipe", "t/socket"} & set(names)


def test_a_file_that_shrinks_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(10_000_000))
    stream = tarstream.encode(tarstream.walk(tmp_path / "f", "f"))
    next(stream)
    os.truncate(tmp_path / "f", 100)
    with pytest.raises(tarstream.Shrunk, match="f became shorter"):
        list(stream)


@given(st.data())
def test_an_archive_cut_short_writes_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    (folder / "in").mkdir()
    (folder / "in" / "a").write_bytes(bytes(3000))
    whole = packed(folder / "in")
    short = whole[: data.draw(st.integers(0, len(whole) - 2 * 512))]
    (folder / "out").mkdir()
    with pytest.raises(tarfile.TarError):
        unpack(tarstream.decode(cut(short, data.draw(CHUNKS))), folder / "out", "root")
    assert list((folder / "out").iterdir()) == []


def _deep(folder: Path, levels: int) -> Path:
    """Make a folder that has so many others nested in it, and return the innermost."""
    for _ in range(levels):
        folder /= "d"
        folder.mkdir()
    return folder


def test_a_deep_tree_comes_back(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    try:
        (_deep(tmp_path / "in", 1200) / "file").write_text("x")
        unpack(tarstream.decode([packed(tmp_path / "in")]), tmp_path / "out", "root")
        found = [path.name for path in tarstream.below(tmp_path / "out" / "root")]
        assert found == ["d"] * 1200 + ["file"]
        again = tarstream.decode([packed(tmp_path / "in")])
        unpack(again, tmp_path / "out", "root")  # each of the folders is there by now
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["root"]
    finally:  # pytest removes old folders with shutil.rmtree, which does not get so deep
        discard(tmp_path / "in")
        discard(tmp_path / "out")


def test_a_deep_file_whose_folders_are_not_in_the_archive_is_written(tmp_path: Path) -> None:
    unpack([_entry("root/" + "d/" * 1200 + "file")], tmp_path, "root")
    assert [path.name for path in tarstream.below(tmp_path / "root")][-1] == "file"
    discard(tmp_path / "root")


def _colliding(folder: Path, name: str, kind: str) -> None:
    if kind == "folder":
        (folder / name).mkdir()
        (folder / name / "kept").write_text("kept")
    elif kind == "link":
        (folder / name).symlink_to("nowhere")
    else:
        (folder / name).write_text("kept")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("sub", "file", "is no folder"),
        ("sub", "link", "is no folder"),
        ("zero", "folder", "is a folder"),
        ("link", "folder", "is a folder"),
        ("run", "folder", "is a folder"),
    ],
)
def test_names_that_collide_are_told_and_nothing_is_written(
    tree: Path, tmp_path: Path, name: str, kind: str, words: str
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "data").write_text("old")
    _colliding(target, name, kind)
    before = listed(target)
    with pytest.raises(UsageError, match=f"target/{name} {words}"):
        unpack(tarstream.walk(tree, "target"), tmp_path, "target")
    assert listed(target) == before
    assert not list(tmp_path.glob(".labctl-*"))


def test_a_folder_that_may_not_be_written_is_told_before_anything_is(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub = tmp_path / "target" / "sub"
    sub.mkdir(parents=True)
    # Root, as whom tests may run, is denied nothing.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != sub)
    with pytest.raises(PermissionError, match="target/sub"):
        unpack(tarstream.walk(tree, "target"), tmp_path, "target")
    assert listed(tmp_path / "target") == {"sub": None}


# --- archives that mean harm


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarstream.Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o7777
    content = b"harm" if kind == tarfile.REGTYPE else None
    info.size = len(content or b"")
    return info, io.BytesIO(content) if content is not None else None


@pytest.mark.parametrize(
    "entry",
    [
        _entry("../out"),
        _entry("/out"),
        _entry("root/../../out"),
        _entry("root/abs", tarfile.SYMTYPE, "/etc/passwd"),
        _entry("root/up", tarfile.SYMTYPE, "../../outside"),
        _entry("root/sibling", tarfile.SYMTYPE, "../other"),
        _entry("root", tarfile.SYMTYPE, ".."),
        _entry("root/hard", tarfile.LNKTYPE, "../../../../../../../../etc/passwd"),
        _entry("root/hard", tarfile.LNKTYPE, "/etc/passwd"),
        _entry("root/null", tarfile.CHRTYPE),
        _entry("root/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda e: f"{e[0].name}>{e[0].linkname}",
)
def test_nothing_leads_out_of_what_is_copied(tmp_path: Path, entry: tarstream.Entry) -> None:
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)
    fine = _entry("root/fine")
    skipped = unpack([fine, entry] if entry[0].name != "root" else [entry], target, "root")
    assert skipped == [entry[0].name]
    made = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")}
    assert made <= {"a", "a/b", "a/b/root", "a/b/root/fine"}


def test_links_of_contents_may_lead_to_all_of_them_and_no_further(tmp_path: Path) -> None:
    entries = [
        _entry("x"),
        _entry("fine", tarfile.SYMTYPE, "x"),
        _entry("up", tarfile.SYMTYPE, "../x"),
    ]
    assert unpack(entries, tmp_path, None) == ["up"]
    assert listed(tmp_path) == {"x": b"harm", "fine": "x"}


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    entries = [
        _entry("root/x", tarfile.DIRTYPE),
        _entry("root/link", tarfile.SYMTYPE, "x"),
        _entry("root/link/file"),
    ]
    unpack(entries, tmp_path / "t", "root")
    assert (tmp_path / "t" / "root" / "x" / "file").read_bytes() == b"harm"  # still inside


def test_no_copy_has_the_rights_of_its_owner_for_others(tmp_path: Path) -> None:
    unpack([_entry("f")], tmp_path, "f")
    assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o755


def _links(*pairs: tuple[str, str]) -> list[tarstream.Entry]:
    return [_entry(name, tarfile.SYMTYPE, target) for name, target in pairs]


def test_a_link_that_later_ones_lead_out_is_left_out(tmp_path: Path) -> None:
    """CVE-2025-4330: where `l` leads is known only when `e`, `f` and `g` are there."""
    entries = [_entry("root/x"), *_links(("root/l", "e/f/g/../../../"))]
    entries += _links(*((f"root/{name}", ".") for name in "efg"))
    assert unpack(entries, tmp_path, "root") == ["root/l"]
    assert listed(tmp_path / "root") == {"x": b"harm", "e": ".", "f": ".", "g": "."}


def test_a_link_through_one_that_is_left_out_is_left_out_too(tmp_path: Path) -> None:
    entries = _links(("root/l", "e/.."), ("root/m", "l/b"), ("root/e", "."))
    assert sorted(unpack([_entry("root/x"), *entries], tmp_path, "root")) == ["root/l", "root/m"]
    assert listed(tmp_path / "root") == {"x": b"harm", "e": "."}


def test_a_way_too_long_to_be_looked_at_leads_nowhere(tmp_path: Path) -> None:
    """CVE-2025-4517: beyond PATH_MAX os.path.realpath takes a link for an ordinary part."""
    target = tmp_path / "t"
    target.mkdir()
    steps = "abcdefghijklmnop"
    long = "d" * ((3970 - len(str(target))) // len(steps) - 1)
    entries, folder = [_entry("root", tarfile.DIRTYPE)], "root"
    for step in steps:  # each name is short, the way that it stands for is not
        entries.append(_entry(f"{folder}/{long}", tarfile.DIRTYPE))
        entries += _links((f"{folder}/{step}", long))
        folder += f"/{step}"
    last = "/".join(steps) + "/" + "l" * 254
    entries += _links((f"root/{last}", "../" * len(steps)), ("root/out", f"{last}/../.."))
    entries.append(_entry("root/out/harm"))
    skipped = unpack(entries, target, "root")
    assert {f"root/{last}", "root/out"} <= set(skipped)
    assert [path.name for path in tmp_path.iterdir()] == ["t"]
    assert [path.name for path in target.iterdir()] == ["root"]


def test_links_in_a_ring_lead_nowhere_and_are_left_out(tmp_path: Path) -> None:
    entries = [_entry("root/x"), *_links(("root/a", "b"), ("root/b", "a"))]
    assert sorted(unpack(entries, tmp_path, "root")) == ["root/a", "root/b"]
    assert listed(tmp_path / "root") == {"x": b"harm"}
