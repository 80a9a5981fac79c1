"""The images on a real engine: built once, by both builders, moved, and refused."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine.client import Engine, connect
from labctl.engine.images import build, ensure, inputs, load, recipe, remove, save, stored
from labctl.engine.images import images as images_of
from labctl.errors import MachineError, UsageError
from labctl.lab.places import data_root
from tests.engine.private_engine import private_engine, small_disk, unavailable

COMMANDS = ("tcp_server", "tcp_client", "directory", "peer", "router", "listening")

SMALL = """ARG BASE=none
FROM ${BASE}
LABEL labctl.image=host
COPY netprog /netprog
"""


@pytest.fixture(scope="module")
def real(engine: Engine) -> dict[str, str]:
    return ensure(engine, inputs.NAMES)


@pytest.fixture
def root(
    engine: Engine, real: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder with images/ as the project's own, whose images have names of their own."""
    monkeypatch.setattr(inputs, "PREFIX", f"labctl-test-{uuid.uuid4().hex[:8]}")
    shutil.copytree(data_root() / "images", tmp_path / "images")
    (tmp_path / "images/host/netprog/marker").write_text(uuid.uuid4().hex, encoding="utf-8")
    base = images_of(tmp_path)["base"]
    engine.sdk.api.tag(real["base"], base.repository, base.inputs)
    before = {one.id for one in stored(engine)}
    yield tmp_path
    remove_made(engine, before)


def remove_made(engine: Engine, before: set[str]) -> None:
    """Remove the tags of this test, and the stages that the classic builder left."""
    for one in stored(engine):
        for tag in one.tags:
            if tag.startswith(f"{inputs.PREFIX}-"):
                engine.sdk.images.remove(tag)
        if one.name == "host-stage" and one.id not in before:
            remove(engine, [one])


@pytest.fixture
def small(root: Path) -> Path:
    """The same, with a host image that is built within a second."""
    (root / "images/host/Dockerfile").write_text(SMALL, encoding="utf-8")
    return root


@pytest.fixture
def empty(engine: Engine, small: Path) -> Path:
    """The same, with images that hold nothing: they are saved and loaded at once."""
    (small / "images/observer/Dockerfile").write_text(
        SMALL.replace("COPY netprog /netprog\n", ""), encoding="utf-8"
    )
    base = images_of(small)["base"]
    labels = [f"LABEL {inputs.LABEL_IMAGE}=base", f"LABEL {inputs.LABEL_INPUTS}={base.inputs}"]
    nothing = io.BytesIO()
    tarfile.open(fileobj=nothing, mode="w").close()
    engine.sdk.api.import_image_from_data(
        nothing.getvalue(), repository=base.repository, tag=base.inputs, changes=labels
    )
    return small


def run(engine: Engine, tag: str, *command: str) -> str:
    output = engine.sdk.containers.run(
        tag,
        list(command),
        remove=True,
        network_mode="none",
        cap_drop=["ALL"],
        name=f"labctl-test-{uuid.uuid4().hex[:8]}",
    )
    return bytes(output).decode()


def test_what_is_built_is_not_built_again(engine: Engine, empty: Path) -> None:
    first: list[str] = []
    second: list[str] = []
    tags = ensure(engine, ["host"], first.append, root=empty)
    again = ensure(engine, ["host"], second.append, root=empty)
    assert first
    assert second == []
    assert again == tags


def test_a_changed_file_makes_a_new_image_and_the_old_one_is_known_as_superseded(
    engine: Engine, empty: Path
) -> None:
    old = ensure(engine, ["host"], root=empty)["host"]
    (empty / "images/host/netprog/more.py").write_text("x = 1\n", encoding="utf-8")
    new = ensure(engine, ["host"], root=empty)["host"]
    assert new != old
    state = {tag: one.current for one in stored(engine, root=empty) for tag in one.tags}
    assert (state[old], state[new]) == (False, True)
    latest = engine.sdk.images.get(images_of(empty)["host"].latest)
    assert latest.id == engine.sdk.images.get(new).id


def test_removed_images_are_gone(engine: Engine, empty: Path) -> None:
    tag = ensure(engine, ["host"], root=empty)["host"]
    mine = [one for one in stored(engine, root=empty) if tag in one.tags]
    assert remove(engine, mine) == mine
    assert all(tag not in one.tags for one in stored(engine, root=empty))


@pytest.mark.parametrize("buildkit", [True, False], ids=["buildkit", "classic"])
def test_each_builder_makes_a_host_that_works(
    engine: Engine, root: Path, buildkit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if buildkit and not recipe.has_buildkit(engine):
        pytest.skip("this docker client has no buildx plugin")
    monkeypatch.setattr(recipe, "has_buildkit", lambda _engine: buildkit)
    lines: list[str] = []
    tag = ensure(engine, ["host"], lines.append, root=root)["host"]
    assert any("Step 1/" in line for line in lines) != buildkit

    assert run(engine, tag, "id", "-un").strip() == "student"
    assert run(engine, tag, "id", "-u").strip() == "1000"
    libraries = "socket, ssl, hashlib, json, asyncio, argparse, selectors"
    assert run(engine, tag, "python3", "-c", f"import {libraries}; print('all')") == "all\n"
    assert "1 received" in run(engine, tag, "ping", "-c", "1", "127.0.0.1")
    assert "State" in run(engine, tag, "ss", "-tln")
    touched = run(engine, tag, "sh", "-c", "touch /srv/files/x && stat -c %U /srv/files/x")
    assert touched == "student\n"


def test_no_program_of_a_host_has_more_rights_than_its_user(
    engine: Engine, real: dict[str, str]
) -> None:
    setuid = ["find", "/bin", "/sbin", "/usr", "-xdev", "-type", "f", "-perm", "/6000"]
    assert run(engine, real["host"], *setuid) == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_socket_programs_are_commands(
    engine: Engine, real: dict[str, str], command: str
) -> None:
    assert run(engine, real["host"], "sh", "-c", f"command -v {command}") == (
        f"/usr/local/bin/{command}\n"
    )


@pytest.mark.parametrize("tool", ["strace", "tcpdump", "ip", "iptables", "nsenter", "ps"])
def test_the_observer_has_its_tools(engine: Engine, real: dict[str, str], tool: str) -> None:
    assert run(engine, real["observer"], "sh", "-c", f"command -v {tool}").endswith(f"{tool}\n")


def test_the_host_image_is_small(engine: Engine, real: dict[str, str]) -> None:
    assert engine.sdk.images.get(real["host"]).attrs["Size"] < 90e6


def test_packages_of_a_host_can_be_asked_for(engine: Engine, real: dict[str, str]) -> None:
    asked = ["dpkg-query", "-W", "-f", "${Status}\n", "iproute2"]
    assert run(engine, real["host"], *asked) == "install ok installed\n"


def test_saved_images_come_back(engine: Engine, empty: Path, tmp_path: Path) -> None:
    tags = ensure(engine, inputs.NAMES, root=empty)
    file = tmp_path / "images.tar"
    assert save(engine, file, root=empty) == list(tags.values())
    for one in images_of(empty).values():
        engine.sdk.images.remove(one.latest)
        engine.sdk.images.remove(one.tag)
    assert load(engine, file, root=empty) == list(tags.values())
    lines: list[str] = []
    assert ensure(engine, inputs.NAMES, lines.append, root=empty) == tags
    assert lines == []


def test_a_file_of_another_version_is_refused(
    engine: Engine, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(engine, inputs.NAMES, root=empty)
    file = tmp_path / "images.tar"
    save(engine, file, root=empty)
    (empty / "images/base/other").write_text("changed", encoding="utf-8")
    with pytest.raises(UsageError, match="no image that this labctl uses"):
        load(engine, file, root=empty)


def test_saving_what_is_not_built_is_refused(engine: Engine, small: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not built yet") as caught:
        save(engine, tmp_path / "images.tar", root=small)
    assert caught.value.hint == "Run `labctl images build`."
    assert not list(tmp_path.glob("images.tar*"))


def test_loading_what_is_no_archive_is_refused(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("not an archive\n", encoding="utf-8")
    with pytest.raises(MachineError, match=r"words\.txt cannot be loaded"):
        load(engine, file)
    with pytest.raises(UsageError, match="no such file"):
        load(engine, tmp_path / "nothing.tar")


def test_an_image_that_cannot_be_built_shows_the_end_of_its_log(
    engine: Engine, small: Path
) -> None:
    with (small / "images/host/Dockerfile").open("a", encoding="utf-8") as file:
        file.write("RUN echo something is amiss && exit 7\n")
    with pytest.raises(MachineError, match="image host cannot be built") as caught:
        ensure(engine, ["host"], root=small)
    assert "something is amiss" in caught.value.message
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert all("host" not in one.name or not one.current for one in stored(engine, root=small))


def test_without_any_road_the_error_names_each(
    engine: Engine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dockerfile = root / "images/base/Dockerfile"
    nowhere = "127.0.0.1:9/none:none"
    dockerfile.write_text(f"ARG FROM={nowhere}\nFROM ${{FROM}}\n", encoding="utf-8")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(MachineError, match="no road leads to the base image") as caught:
        ensure(engine, ["host"], root=root)
    assert nowhere in caught.value.message
    assert "no Debian or Ubuntu packages" in caught.value.message
    assert "labctl images load FILE" in caught.value.hint


BUILD = """
import sys
from pathlib import Path
from labctl.engine.client import connect
from labctl.engine.images import ensure, inputs

inputs.PREFIX = sys.argv[2]
ensure(connect(), ["host"], lambda line: print(line, flush=True), root=Path(sys.argv[1]))
"""


def build_aside(root: Path) -> subprocess.Popen[str]:
    """Build the host image in a process, and a process group, of its own."""
    command = [sys.executable, "-c", BUILD, str(root), inputs.PREFIX]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def test_two_at_once_build_once(engine: Engine, small: Path) -> None:
    with (small / "images/host/Dockerfile").open("a", encoding="utf-8") as file:
        file.write("RUN cat /proc/sys/kernel/random/uuid > /which\n")
    both = [build_aside(small) for _ in range(2)]
    built = sorted(bool(process.communicate(timeout=120)[0]) for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert built == [False, True]


def test_an_interrupted_build_leaves_no_process_and_no_image(engine: Engine, small: Path) -> None:
    with (small / "images/host/Dockerfile").open("a", encoding="utf-8") as file:
        file.write("RUN echo begun; sleep 600\n")
    process = build_aside(small)
    assert process.stdout
    # The instruction itself is shown first; only what it prints ends so.
    assert any(line.rstrip().endswith(" begun") for line in process.stdout)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    tag = images_of(small)["host"].tag
    assert all(tag not in one.tags for one in stored(engine, root=small))


@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "available")
def test_a_full_disk_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="labctl-full-"))
    with small_disk(folder, 48), private_engine(folder / "engine") as private:
        monkeypatch.setenv("DOCKER_HOST", private.address)
        shutil.copytree(data_root() / "images/base", tmp_path / "images/base")
        for name in ("host", "observer"):
            (tmp_path / "images" / name).mkdir()
        (tmp_path / "images/host/Dockerfile").write_text(
            "ARG BASE\nFROM ${BASE}\nLABEL labctl.image=host\nCOPY large /large\n", "utf-8"
        )
        (tmp_path / "images/host/large").write_bytes(bytes(96 << 20))
        engine = connect()
        base = images_of(tmp_path)["base"]
        import_empty(engine, base.tag)
        monkeypatch.setattr(recipe, "has_buildkit", lambda _engine: False)
        with pytest.raises(MachineError, match="the disk ran full while building") as caught:
            build.ensure(engine, ["host"], root=tmp_path)
        assert str(private.data_root) in caught.value.message
        assert "MiB were free" in caught.value.message
        assert "docker system df" in caught.value.hint
        assert [one.name for one in stored(engine, root=tmp_path)] == ["base"]
        engine.sdk.close()
    folder.rmdir()


def import_empty(engine: Engine, tag: str) -> None:
    empty = io.BytesIO()
    with tarfile.open(fileobj=empty, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    repository, _, version = tag.partition(":")
    engine.sdk.api.import_image_from_data(
        empty.getvalue(), repository=repository, tag=version, changes=["LABEL labctl.image=base"]
    )
