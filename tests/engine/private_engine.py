"""A Docker engine of a test's own, for what must not be done to the machine's.

It runs in a network namespace of its own, so that neither its bridges nor its iptables
rules meet those of the machine's engine; its hosts reach each other, nothing else.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

START_WITHIN = 60.0
STOP_WITHIN = 30.0
_NAP = 0.1


def unavailable() -> str:
    """Return why no private engine can run here, or an empty text."""
    if os.geteuid() != 0:
        return "a private engine needs root"
    lacking = [name for name in ("dockerd", "unshare", "ip") if not shutil.which(name)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


@dataclass
class PrivateEngine:
    """A dockerd with everything it keeps in `folder`.

    `networks` gives it bridges and iptables; without, its containers have no network.
    `storage` is its storage driver: vfs works everywhere, but copies every layer.
    """

    folder: Path
    networks: bool = False
    storage: str = "vfs"
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data_root(self) -> Path:
        return self.folder / "data"

    @property
    def address(self) -> str:
        """What DOCKER_HOST must be to use it."""
        return f"unix://{self.folder}/engine.sock"

    def start(self) -> None:
        """Start it and wait until it answers; raises AssertionError with its log if not."""
        netns = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*netns, *self._command()], stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_WITHIN
        while not self.answers():
            assert self._process.poll() is None, f"dockerd ended:\n{self._log()}"
            assert time.monotonic() < deadline, f"dockerd does not answer:\n{self._log()}"
            time.sleep(_NAP)

    def answers(self) -> bool:
        with suppress(DockerException, requests.RequestException, OSError):
            client = docker.DockerClient(base_url=self.address, timeout=5)
            try:
                return bool(client.ping())
            finally:
                client.close()
        return False

    def stop(self) -> None:
        """Stop it, and with it all its containers; they stay as stopped ones."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        """Stop it and start it again, with the same data."""
        self.stop()
        self.start()

    def _command(self) -> list[str]:
        network = [] if self.networks else ["--bridge=none", "--iptables=false"]
        return [
            "dockerd",
            f"--host={self.address}",
            f"--data-root={self.data_root}",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/dockerd.pid",
            f"--storage-driver={self.storage}",
            f"--config-file={self._config()}",
            *network,
            *self.options,
        ]

    def _config(self) -> Path:
        """Return an empty configuration, so that the machine's own does not count."""
        file = self.folder / "daemon.json"
        file.write_text("{}\n", encoding="utf-8")
        return file

    def _log(self) -> str:
        text = (self.folder / "dockerd.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-15:])


@contextmanager
def private_engine(
    folder: Path, *, networks: bool = False, storage: str = "vfs", options: tuple[str, ...] = ()
) -> Iterator[PrivateEngine]:
    """Run an engine within the block; `folder` should be short, a socket's path is limited."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = PrivateEngine(folder, networks, storage, options)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        _unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """Mount a disk of a few MiB on `folder` within the block (tmpfs(5))."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={mebibytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _unmount_below(folder: Path) -> None:
    """Unmount what the engine left mounted (namespaces, layers), the innermost first."""
    table = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1] for line in table]
    for point in sorted((p for p in points if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
