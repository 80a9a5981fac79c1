"""exec, shell, logs and cp on real hosts."""

from __future__ import annotations

import io
import json
import os
import pty
import secrets
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.types import Mount

from labctl.engine import down, inside, labels, live
from labctl.engine.client import Engine
from labctl.engine.images import ensure
from labctl.errors import MachineError
from tests.engine.conftest import Ran, command, labctl

OUTPUT = "print('ready', flush=True); import time; time.sleep(600)"


class Small:
    """A lab of containers without a network, as `up` would label them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = f"t{secrets.token_hex(4)}"
        self.image = ensure(engine, ["host"])["host"]
        self.origin = labels.Origin(self.name, "small", Path("/nowhere/compose.yaml"))
        engine.sdk.api.create_volume(
            labels.marker_name(self.name),
            labels={**labels.for_lab(self.origin), labels.READY: "1"},
        )

    def add(self, host: str, python: str = OUTPUT, **settings: Any) -> None:
        """Start a host that runs a Python program."""
        self.engine.sdk.containers.run(
            self.image,
            ["python3", "-uc", python],
            name=f"{self.name}-{host}",
            hostname=host,
            labels=labels.for_host(self.origin, host),
            network_mode="none",
            init=True,
            cap_drop=["ALL"],
            detach=True,
            **{"user": "1000:1000", **settings},
        )

    def host(self, host: str) -> live.LiveHost:
        return live.find(self.engine, self.name).host(host)

    def run(self, *args: str) -> Ran:
        """Run a labctl command on this lab."""
        return labctl(*args, LABCTL_NAME=self.name)

    def shell(self, host: str, script: str) -> str:
        """Return what a shell command on a host prints."""
        done = inside.run(self.engine, self.host(host), ["sh", "-c", script])
        assert done.code == 0, done.stderr
        return done.stdout.decode()


@pytest.fixture(scope="module")
def small(engine: Engine) -> Iterator[Small]:
    lab = Small(engine)
    try:
        lab.add("alpha")
        lab.add("beta", user="student")
        yield lab
    finally:
        down.down(engine, lab.name)


@pytest.fixture
def fresh(engine: Engine) -> Iterator[Small]:
    """A lab without hosts yet, of one test."""
    lab = Small(engine)
    try:
        yield lab
    finally:
        down.down(engine, lab.name)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


# --- inside.run


def test_run_keeps_the_two_outputs_and_the_code_apart(small: Small) -> None:
    script = "printf out; printf err >&2; exit 7"
    done = inside.run(small.engine, small.host("alpha"), ["sh", "-c", script])
    assert (done.code, done.stdout, done.stderr) == (7, b"out", b"err")
    assert 0 < done.seconds < 30


@pytest.mark.parametrize("timeout", [None, 60.0])
@pytest.mark.parametrize("stdin", [None, b"\x00in\xff"])
def test_run_passes_user_variables_folder_and_input(
    small: Small, stdin: bytes | None, timeout: float | None
) -> None:
    done = inside.run(
        small.engine,
        small.host("alpha"),
        ["sh", "-c", 'id -u; pwd; echo "$K"; cat'],
        user="0",
        env={"K": "a b=c"},
        cwd="/etc",
        stdin=stdin,
        timeout=timeout,
    )
    assert done.code == 0
    assert done.stdout == b"0\n/etc\na b=c\n" + (stdin or b"")


def test_run_takes_much_input_and_output(small: Small) -> None:
    data = os.urandom(3_000_000)
    assert inside.run(small.engine, small.host("alpha"), ["cat"], stdin=data).stdout == data


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_run_tells_a_missing_command_on_stderr(small: Small, timeout: float | None) -> None:
    done = inside.run(small.engine, small.host("alpha"), ["no-such-command"], timeout=timeout)
    assert done.code in (126, 127)
    assert done.stdout == b""
    assert b"no-such-command" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("stdin", [None, b"input"])
def test_what_takes_too_long_is_ended_with_its_children(small: Small, stdin: bytes | None) -> None:
    mark = f"6{secrets.randbelow(10**6):06}"
    argv = ["sh", "-c", f"sleep {mark} & sleep {mark}; true"]
    began = time.monotonic()
    with pytest.raises(inside.TimedOut, match=r"did not end within 0\.5 seconds"):
        inside.run(small.engine, small.host("alpha"), argv, timeout=0.5, stdin=stdin)
    assert time.monotonic() - began < 20
    until(lambda: mark not in small.shell("alpha", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))


def test_a_host_that_ends_meanwhile_is_named(fresh: Small) -> None:
    fresh.add("mayfly")
    host = fresh.host("mayfly")
    fresh.engine.sdk.api.kill(host.container_id)
    until(lambda: not fresh.host("mayfly").running)
    with pytest.raises(MachineError, match=r"host mayfly of lab .* ended"):
        inside.run(fresh.engine, host, ["true"])
    fresh.engine.sdk.api.remove_container(host.container_id)
    with pytest.raises(MachineError, match="removed meanwhile"):
        inside.run(fresh.engine, host, ["true"])


# --- exec and shell


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42, 126, 127, 255])
def test_exec_gives_the_commands_own_code(small: Small, code: int) -> None:
    assert small.run("exec", "alpha", "--", "sh", "-c", f"exit {code}").code == code


def test_exec_gives_128_and_the_signal(small: Small) -> None:
    assert small.run("exec", "alpha", "--", "sh", "-c", "kill -TERM $$").code == 143


def test_options_after_the_command_are_its_own(small: Small) -> None:
    ran = small.run("exec", "alpha", "-u", "0", "-w", "/", "echo", "-n", "-u", "--", "--help")
    assert (ran.code, ran.out) == (0, "-u -- --help")
    ran = small.run("exec", "-e", "A=1", f"{small.name}/alpha", "-eB=2", "--", "env")
    assert {"A=1", "B=2"} <= set(ran.out.splitlines())


def test_exec_passes_input(small: Small) -> None:
    done = subprocess.run(
        command("exec", "-n", small.name, "alpha", "--", "tr", "a-z", "A-Z"),
        input=b"hello",
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"HELLO"


def test_exec_has_a_terminal_where_the_user_has_one(small: Small) -> None:
    assert _on_terminal(small, "exec", "alpha", "tty") == (0, "/dev/pts/0")
    assert _on_terminal(small, "exec", "-T", "alpha", "tty") == (1, "not a tty")


def _on_terminal(small: Small, *args: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command(*args),
        env={**os.environ, "LABCTL_NAME": small.name},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 4096):
            said += data
    except OSError:  # EIO: the other end is closed (pty(7))
        pass
    os.close(ours)
    return child.wait(60), said.decode().strip()


def test_exec_of_what_is_not_there(small: Small) -> None:
    ran = small.run("exec", "alpha", "--", "no-such-command")
    assert ran.code in (126, 127)
    assert "no-such-command" in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_exec_on_an_unknown_host_suggests_one(small: Small) -> None:
    ran = small.run("exec", "alhpa", "--", "true")
    assert ran.code == 2
    assert "has no host alhpa" in ran.err
    assert "Did you mean alpha?" in ran.err


def test_exec_on_a_host_that_does_not_run(fresh: Small) -> None:
    fresh.add("ended", "print('bye')")
    until(lambda: not fresh.host("ended").running)
    ran = fresh.run("exec", "ended", "--", "true")
    assert ran.code == 3
    assert "host ended of lab" in ran.err
    assert "is not running" in ran.err


def test_a_host_removed_under_exec_is_told(fresh: Small) -> None:
    fresh.add("mayfly")
    child = subprocess.Popen(
        command("exec", "-n", fresh.name, "mayfly", "--", "sh", "-c", "echo in; sleep 600"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "in\n"
    fresh.engine.sdk.api.remove_container(fresh.host("mayfly").container_id, force=True)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 3
    assert "mayfly" in told


def exec_and_signal(small: Small, script: str, number: int) -> int:
    """Run a shell script by exec, send exec a signal when the script has said something."""
    child = subprocess.Popen(
        command("exec", "-n", small.name, "alpha", "--", "sh", "-c", script),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "in\n"
    child.send_signal(number)
    child.communicate(timeout=60)
    return child.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_exec_ends_its_command_with_all_it_began(small: Small, number: int) -> None:
    mark = f"7{secrets.randbelow(10**6):06}"
    script = f"sleep {mark} & setsid sleep {mark} & echo in; sleep {mark}; true"
    assert exec_and_signal(small, script, number) == 130
    assert mark not in small.shell("alpha", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_a_command_whose_reader_has_gone_is_ended(small: Small) -> None:
    mark = f"9{secrets.randbelow(10**6):06}"
    argv = command("exec", "-n", small.name, "alpha", "--", "yes", mark)
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == f"{mark}\n"
    child.stdout.close()
    assert child.wait(60) == 128 + signal.SIGPIPE
    assert mark not in small.shell("alpha", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_a_command_that_ignores_sigterm_is_ended_too(small: Small) -> None:
    mark = f"8{secrets.randbelow(10**6):06}"
    assert exec_and_signal(small, f"trap '' TERM; echo in; sleep {mark}", signal.SIGINT) == 130
    assert mark not in small.shell("alpha", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_shell_takes_the_best_there_is(small: Small) -> None:
    done = subprocess.run(
        command("shell", "-n", small.name, "alpha"),
        input="echo ${BASH_VERSION:+bash}; hostname; exit 5\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[-1]) == (5, "alpha")


# --- logs


def test_logs_are_merged_in_the_order_of_time(fresh: Small) -> None:
    for host in ("one", "two"):
        fresh.add(host, "import time\nfor i in range(5): print(i); time.sleep(0.02)")
    until(lambda: not any(h.running for h in live.find(fresh.engine, fresh.name).hosts))
    lines = [json.loads(line) for line in fresh.run("logs", "--json").out.splitlines()]
    assert len(lines) == 10
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    plain = fresh.run("logs", "two", "--tail", "2").out
    assert plain == "two | 3\ntwo | 4\n"
    stamped = fresh.run("logs", "-t", "one", "--tail", "1").out
    assert stamped.startswith("one | 20")
    assert stamped.endswith("Z 4\n")
    assert fresh.run("logs", "--since", "1h").out.count("\n") == 10
    assert fresh.run("logs", "--since", "2999-01-01T00:00:00Z").out == ""


def test_any_bytes_may_be_logged(fresh: Small) -> None:
    program = (
        "import sys; o = sys.stdout.buffer; o.write(b'a\\xff\\xfez [bold] \\n\\n'); "
        "o.write(b'x' * 40000 + b'\\n'); o.write(b'no end')"
    )
    fresh.add("noisy", program)
    until(lambda: not fresh.host("noisy").running)
    lines = fresh.run("logs").out.split("\n")
    assert lines == [
        "noisy | a\ufffd\ufffdz [bold] ",
        "noisy | ",
        "noisy | " + "x" * 40000,
        "noisy | no end",
        "",
    ]


def test_logs_of_a_host_with_a_terminal(fresh: Small) -> None:
    fresh.add("screen", "print('first'); print('second')", tty=True)
    until(lambda: not fresh.host("screen").running)
    assert fresh.run("logs").out == "screen | first\nscreen | second\n"


def test_following_ends_with_the_hosts(fresh: Small) -> None:
    fresh.add("short", "import time\nfor i in range(3): print(i); time.sleep(0.2)")
    ran = fresh.run("logs", "-f")
    assert (ran.code, ran.out) == (0, "short | 0\nshort | 1\nshort | 2\n")


def test_following_ends_with_an_interrupt(small: Small) -> None:
    child = subprocess.Popen(
        command("logs", "-f", "-n", small.name), stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    got = {child.stdout.readline(), child.stdout.readline()}
    assert got == {"alpha | ready\n", "beta  | ready\n"}
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 0


def test_a_wrong_since_is_a_usage_error(small: Small) -> None:
    ran = small.run("logs", "--since", "yesterday")
    assert ran.code == 2
    assert "not a time: yesterday" in ran.err


# --- cp


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with what is easy to lose in a copy."""
    folder = tmp_path / "tree"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "data").write_bytes(os.urandom(100_000))
    (folder / "zero").touch()
    (folder / "sub" / "näme with space").write_text("x")
    (folder / "sub" / ("long" * 50)).write_text("long")
    (folder / "run").write_text("#!/bin/sh\necho ran\n")
    (folder / "run").chmod(0o751)
    (folder / "link").symlink_to("sub/näme with space")
    return folder


def digest(folder: Path) -> dict[str, bytes | str]:
    """Return what is in a folder: contents of files, targets of links."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        key = str(path.relative_to(folder))
        if path.is_symlink():
            found[key] = str(path.readlink())
        else:
            found[key] = path.read_bytes() if path.is_file() else "folder"
    return found


@pytest.mark.parametrize("host", ["alpha", "beta"])
def test_a_folder_goes_there_and_back(small: Small, tree: Path, tmp_path: Path, host: str) -> None:
    place = f"/home/student/{secrets.token_hex(4)}"
    ran = small.run("cp", str(tree), f"{host}:{place}")
    assert ran.code == 0, ran.err
    owners = small.shell(host, f"find {place} -exec stat -c '%u:%g' {{}} + | sort -u")
    assert owners == "1000:1000\n"
    assert small.shell(host, f"stat -c %a {place}/run; {place}/run") == "751\nran\n"
    assert small.run("cp", f"{small.name}/{host}:{place}", str(tmp_path / "back")).code == 0
    assert digest(tmp_path / "back") == digest(tree)
    assert (tmp_path / "back" / "run").stat().st_mode & 0o777 == 0o751
    assert not list(tmp_path.glob(".labctl-*"))


def test_from_host_to_host(small: Small, tree: Path, tmp_path: Path) -> None:
    place = f"/home/student/{secrets.token_hex(4)}"
    assert small.run("cp", str(tree), f"alpha:{place}").code == 0
    ran = small.run("cp", f"alpha:{place}/.", "beta:/srv/files")
    assert ran.code == 0, ran.err
    assert small.run("cp", "beta:/srv/files", str(tmp_path / "back")).code == 0
    assert digest(tmp_path / "back") == digest(tree)
    assert small.shell("beta", "stat -c %u:%g /srv/files/data") == "1000:1000\n"


def test_within_one_host(small: Small, tree: Path) -> None:
    place = f"/tmp/{secrets.token_hex(4)}"
    assert small.run("cp", str(tree), f"alpha:{place}").code == 0
    ran = small.run("cp", f"alpha:{place}", f"alpha:{place}/sub")
    assert ran.code == 0, ran.err
    inside_itself = f"{place}/sub/{place.rpartition('/')[2]}"
    assert small.shell("alpha", f"cmp {place}/data {inside_itself}/data && cat {place}/link") == "x"


def test_a_whole_system_can_be_copied(small: Small, tmp_path: Path) -> None:
    ran = small.run("cp", "alpha:/", str(tmp_path / "root"))
    assert ran.code == 0, ran.err
    assert (tmp_path / "root" / "etc" / "passwd").is_file()
    assert (tmp_path / "root" / "usr" / "bin" / "python3").exists()


def test_where_a_file_lands(small: Small, tree: Path, tmp_path: Path) -> None:
    home = small.shell("alpha", "pwd").strip()
    data = tree / "data"
    assert small.run("cp", str(data), "alpha:").code == 0
    assert small.run("cp", str(data), "alpha:renamed").code == 0
    assert small.run("cp", str(data), "alpha:/tmp/").code == 0
    listed = small.shell("alpha", f"cd {home}; sha256sum data renamed /tmp/data")
    assert len({line.split()[0] for line in listed.splitlines()}) == 1
    target = tmp_path / "deep"
    target.write_text("old")
    assert small.run("cp", "alpha:renamed", str(target)).code == 0
    assert target.read_bytes() == data.read_bytes()


def test_wrong_paths_get_two_lines(small: Small, tree: Path, tmp_path: Path) -> None:
    cases = {
        ("./nope", "alpha:/tmp"): (2, "there is no nope"),
        ("alpha:/nope", "."): (2, "host alpha has no /nope"),
        (str(tree / "data"), "alpha:/no/such/x"): (2, "there is no folder alpha:/no/such"),
        (str(tree / "data"), "alpha:/tmp/no/"): (2, "there is no folder alpha:/tmp/no"),
        ("alpha:/etc/hostname", str(tmp_path / "no" / "x")): (2, "there is no folder"),
        (str(tree), "alpha:/etc/hostname"): (2, "is a file, the source is a folder"),
        ("a", "b"): (2, "neither a nor b is on a host"),
        ("alpha:/etc/hostname", "nohost:/tmp"): (2, "has no host nohost"),
        (str(tree / "data"), "alpha:/proc/x"): (2, "/proc is in memory only"),
    }
    for (source, target), (code, words) in cases.items():
        ran = small.run("cp", source, target)
        assert (ran.code, "Traceback" in ran.err) == (code, False), (source, target, ran.err)
        assert words in ran.err
        assert "hint:" in ran.err


def test_a_full_disk_on_the_host_is_told(fresh: Small, tmp_path: Path) -> None:
    tiny = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    volume = f"{fresh.name}_tiny"
    fresh.engine.sdk.api.create_volume(
        volume, driver="local", driver_opts=tiny, labels=labels.for_lab(fresh.origin)
    )
    fresh.add("full", mounts=[Mount("/tiny", volume)])
    (tmp_path / "big").write_bytes(bytes(5_000_000))
    ran = fresh.run("cp", str(tmp_path / "big"), "full:/tiny/big")
    assert ran.code == 3
    assert "no space left on device" in ran.err


def test_a_folder_in_memory_is_refused(fresh: Small, tmp_path: Path) -> None:
    fresh.add("memory", tmpfs={"/scratch": ""}, mounts=[Mount("/run/x", None, type="tmpfs")])
    (tmp_path / "file").touch()
    for place in ("/scratch", "/scratch/deeper", "/run/x/file", "/dev/shm"):
        ran = fresh.run("cp", str(tmp_path / "file"), f"memory:{place}")
        assert ran.code == 2
        assert "is in memory only" in ran.err


def test_a_folder_in_memory_is_refused_through_links_too(fresh: Small, tmp_path: Path) -> None:
    fresh.add("memory", tmpfs={"/scratch": "mode=1777", "/var/run/x": "mode=1777"})
    fresh.shell("memory", "mkdir /scratch/sub; ln -s /scratch /tmp/link; ln -s link /tmp/second")
    fresh.shell("memory", "echo there | tee /scratch/file > /var/run/x/file")
    (tmp_path / "file").touch()
    for place in ("/tmp/link/file", "/tmp/second/sub", "/tmp/link/", "/run/x/file"):
        there = f"memory:{place}"
        for args in ((str(tmp_path / "file"), there), (there, str(tmp_path / "back"))):
            ran = fresh.run("cp", *args)
            assert ran.code == 2, args
            assert "is in memory only" in ran.err
    assert fresh.shell("memory", "cat /scratch/file") == "there\n"


def test_a_host_that_has_ended_can_be_copied_from(fresh: Small, tmp_path: Path) -> None:
    fresh.add("ended", "open('result', 'w').write('42')")
    until(lambda: not fresh.host("ended").running)
    assert fresh.run("cp", "ended:result", str(tmp_path)).code == 0
    assert (tmp_path / "result").read_text() == "42"


def test_links_that_lead_out_are_left_out(small: Small, tmp_path: Path) -> None:
    small.shell(
        "alpha",
        "mkdir -p /tmp/trap && cd /tmp/trap && ln -sf /etc/passwd abs && "
        "ln -sf ../../x up && echo fine > kept && ln -sf kept in && ln -f kept hard",
    )
    ran = small.run("cp", "alpha:/tmp/trap", str(tmp_path))
    assert ran.code == 0
    assert digest(tmp_path / "trap") == {"hard": b"fine\n", "in": "kept", "kept": b"fine\n"}
    assert "left out: trap/abs" in ran.err
    assert "left out: trap/up" in ran.err


def test_a_large_file_is_not_held_in_memory(small: Small, tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(300 << 20)
    # Not getrusage(2): its ru_maxrss is at first what the parent had before execve(2).
    measured = (
        "import pathlib, re, runpy, sys\n"
        "try: runpy.run_module('labctl', run_name='__main__')\n"
        "finally:\n"
        "    status = pathlib.Path('/proc/self/status').read_text()\n"
        "    print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1], file=sys.stderr)"
    )
    target = "alpha:/tmp/big"
    for args in (["cp", str(big), target], ["cp", target, str(tmp_path / "back")]):
        done = subprocess.run(
            [*command()[:1], "-c", measured, *args],
            env={**os.environ, "LABCTL_NAME": small.name},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert int(done.stderr.splitlines()[-1]) < 150_000  # KiB
    assert (tmp_path / "back").stat().st_size == 300 << 20
    small.shell("alpha", "rm /tmp/big")


def test_a_copy_is_an_archive_that_others_can_read(small: Small, tree: Path) -> None:
    place = f"/tmp/{secrets.token_hex(4)}"
    assert small.run("cp", str(tree), f"alpha:{place}").code == 0
    container = small.host("alpha").container_id
    chunks, _ = small.engine.sdk.api.get_archive(container, place)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        assert {m.uid for m in archive} == {1000}


def test_a_link_given_as_the_source_is_followed_and_keeps_its_name(
    small: Small, tree: Path
) -> None:
    (tree / "latest").symlink_to("data")
    assert small.run("cp", str(tree / "latest"), "alpha:/tmp").code == 0
    assert small.shell("alpha", "stat -c '%F %s' /tmp/latest") == "regular file 100000\n"
