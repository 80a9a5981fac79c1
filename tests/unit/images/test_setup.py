"""scripts/setup on machines of several kinds, played with programs of the test's own."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from labctl.engine.compose import OLDEST
from labctl.lab.places import data_root

LIB = data_root() / "scripts" / "lib"
REAL = ("bash", "cat", "chmod", "env", "grep", "head", "ln", "mkdir", "sed", "sh", "sleep", "touch")

pytestmark = pytest.mark.skipif(not LIB.is_dir(), reason="the set-up is part of a checkout only")


@dataclass(frozen=True)
class Machine:
    """A machine whose programs are those in `bin`; each call of a fake is logged."""

    bin: Path
    log: Path
    lists: Path

    def has(self, name: str, script: str = "") -> None:
        file = self.bin / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{script}\n', "utf-8")
        file.chmod(0o755)

    def run(self, code: str, **env: str) -> subprocess.CompletedProcess[str]:
        parts = "".join(f'. "{LIB}/{name}.sh"\n' for name in ("common", "python", "engine"))
        parts += f'. "{LIB}/compose.sh"\nSOCKET="{self.bin}/no-socket"\nAPT_LISTS="{self.lists}"\n'
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", parts + code],
            env={"PATH": str(self.bin), "HOME": str(self.bin), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "bin", tmp_path / "calls", tmp_path / "lists")
    found.bin.mkdir()
    found.lists.mkdir()
    (found.lists / "mirror.example_debian_dists_bookworm_main_Packages.lz4").touch()
    for name in REAL:
        program = shutil.which(name)
        assert program
        (found.bin / name).symlink_to(program)
    found.has("id", "echo 0")
    return found


def apt(machine: Machine, **candidates: str) -> None:
    """Give the machine apt, with these packages (`_` for `-`) and their versions."""
    known = {"bash": "5.2", **{k.replace("_", "-"): v for k, v in candidates.items()}}
    cases = "".join(f'{name}) echo "  Candidate: {v}";;' for name, v in known.items())
    machine.has("apt-cache", f'case "$2" in {cases} esac')
    machine.has("apt-get")
    machine.has("dpkg", f'exec {shutil.which("dpkg")} "$@"')


def refused(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """Return the two lines of an error with exit code 3."""
    assert done.returncode == 3
    what, hint = done.stderr.strip().splitlines()
    assert what.startswith("error: ")
    assert hint.startswith("  hint: ")
    return what, hint


def test_an_engine_that_answers_is_left_alone(machine: Machine) -> None:
    machine.has("docker")
    apt(machine)
    done = machine.run("setup_engine")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [call for call in machine.calls if call.startswith("apt")] == []


def test_without_an_engine_it_is_installed_and_announced_first(machine: Machine) -> None:
    apt(machine, docker_io="20.10", docker_cli="26.1")
    machine.has("apt-cache", 'echo "  Candidate: 26.1"')
    machine.has("apt-get", f'ln -s "{machine.bin}/id" "{machine.bin}/docker"')
    done = machine.run("setup_engine")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "==> Installing with apt: docker.io docker-cli\n"
    installs = [call for call in machine.calls if call.startswith("apt-get")]
    assert len(installs) == 1
    assert installs[0].endswith("install -y docker.io docker-cli")


def test_without_package_lists_they_are_read_first(machine: Machine) -> None:
    apt(machine, docker_io="20.10")
    lists = next(machine.lists.iterdir())
    lists.unlink()
    reads, installs = f'touch "{lists}"', f'ln -s "{machine.bin}/id" "{machine.bin}/docker"'
    machine.has("apt-get", f'if [ "$2" = update ]; then {reads}; else {installs}; fi')
    done = machine.run("setup_engine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "==> Reading the package lists (apt-get update)",
        "==> Installing with apt: docker.io",
    ]


def test_without_an_engine_and_without_rights_nothing_is_done(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    apt(machine, docker_io="20.10")
    what, hint = refused(machine.run("setup_engine"))
    assert "no Docker engine" in what
    assert "apt-get install docker.io" in hint
    assert [call for call in machine.calls if call.startswith("apt-get")] == []


def test_sudo_is_used_only_where_it_asks_nothing(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.has("sudo", 'shift; exec "$@"')
    machine.has("true")
    apt(machine)
    machine.has("apt-get", f'ln -s "{machine.bin}/id" "{machine.bin}/docker"')
    done = machine.run("setup_engine")
    assert done.returncode == 0, done.stderr
    assert next(c for c in machine.calls if c.startswith("sudo")) == "sudo -n true"
    assert all(c.startswith("sudo -n") for c in machine.calls if c.startswith("sudo"))


def test_an_engine_elsewhere_is_never_replaced(machine: Machine) -> None:
    machine.has("docker", "exit 1")
    apt(machine, docker_io="20.10")
    what, _hint = refused(machine.run("setup_engine", DOCKER_HOST="tcp://lab.example:2375"))
    assert "tcp://lab.example:2375" in what
    assert [call for call in machine.calls if call.startswith("apt-get")] == []


COMPOSE = """
[ "$1" = compose ] || exit 0
[ -e "{bin}/plugin" ] || exit 1
echo 2.26.1
"""


@pytest.mark.skipif(not shutil.which("dpkg"), reason="compares versions with dpkg")
@pytest.mark.parametrize(
    ("candidates", "installed"),
    [
        ({"docker_compose_v2": "2.24.6", "docker_compose": "1.29.2"}, "docker-compose-v2"),
        ({"docker_compose": "2.26.1-4", "docker_buildx": "0.13"}, "docker-compose docker-buildx"),
        (
            {"docker_compose_plugin": "2.40.0", "docker_buildx_plugin": "0.29"},
            "docker-compose-plugin docker-buildx-plugin",
        ),
    ],
    ids=["ubuntu", "debian-13", "vendor"],
)
def test_compose_comes_from_the_packages_that_are_there(
    machine: Machine, candidates: dict[str, str], installed: str
) -> None:
    machine.has("docker", COMPOSE.format(bin=machine.bin))
    apt(machine, **candidates)
    machine.has("apt-get", f'touch "{machine.bin}/plugin"')
    done = machine.run("setup_compose")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"==> Installing with apt: {installed}\n"


@pytest.mark.skipif(not shutil.which("dpkg"), reason="compares versions with dpkg")
@pytest.mark.parametrize("version", ["1.29.2-3", "2.19.1-1"])
def test_an_older_compose_is_not_enough(machine: Machine, version: str) -> None:
    machine.has("docker", COMPOSE.format(bin=machine.bin))
    apt(machine, docker_compose=version)
    what, _hint = refused(machine.run("setup_compose"))
    assert "Docker Compose 2.20 or newer" in what
    assert not any("install" in call for call in machine.calls)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("2.20.0", True),
        ("v2.40.3", True),
        ("2.26.1-4", True),
        ("5.0.1", True),
        ("10.1.0", True),
        ("2.19.1", False),
        ("v2.3.4", False),
        ("1.29.2", False),
        ("dev", False),
        ("", False),
    ],
)
def test_versions_of_compose(machine: Machine, version: str, enough: bool) -> None:
    machine.has("docker", f"echo {version}")
    assert (machine.run("compose_is_there").returncode == 0) == enough


def test_setup_and_labctl_need_the_same_compose(machine: Machine) -> None:
    told = machine.run('echo "$OLDEST_COMPOSE"').stdout.strip()
    assert told == ".".join(map(str, OLDEST))


@pytest.mark.parametrize(
    ("listing", "mirror"),
    [
        ("Debian main http://mirror.example/debian", "http://mirror.example/debian"),
        ("Ubuntu main http://mirror.example/ubuntu", ""),
        ("Debian main file:///srv/debian", ""),
        ("$(ORIGIN) main https://mirror.example/debian", "https://mirror.example/debian"),
        ("$(ORIGIN) main https://vendor.example/linux", ""),
    ],
)
def test_the_mirror_is_the_machine_s_own(machine: Machine, listing: str, mirror: str) -> None:
    machine.has("apt-get", f"echo '{listing}'")
    assert machine.run("debian_mirror").stdout.strip() == mirror


def test_a_python_that_is_too_old_is_told(machine: Machine) -> None:
    machine.has("python3", '[ "$1" = --version ] && echo Python 3.9.2 && exit; exit 1')
    what, hint = refused(machine.run("make_venv"))
    assert "3.11" in what
    assert "Python 3.9.2" in what
    assert "python3.11" in hint


def test_the_first_python_that_is_new_enough_is_taken(machine: Machine) -> None:
    machine.has("python3", "exit 1")
    machine.has("python3.12")
    machine.has("python3.11")
    assert machine.run("find_python").stdout == f"{machine.bin}/python3.12\n"


def test_an_unknown_step_is_wrong_usage() -> None:
    setup = data_root() / "scripts" / "setup"
    done = subprocess.run([setup, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nonsense" in done.stderr
