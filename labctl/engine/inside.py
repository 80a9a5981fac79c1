"""Runs commands inside hosts and captures what comes of them."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError

from labctl.engine import compose, live
from labctl.engine.attached import exit_code, options
from labctl.engine.client import Engine, refused
from labctl.engine.execs import Written
from labctl.engine.live import LiveHost
from labctl.engine.presence import KILLED, gone, require_survival, watched
from labctl.errors import CheckFailed

_NOT_STARTED = (126, 127)  # what cannot be run, and what is not there (POSIX sh, 2.8.2)
# The command's own process number comes first, so that it can be ended when its time is over.
_TELL_PID = ["/bin/sh", "-c", 'echo $$; exec "$@"', "sh"]


@dataclass(frozen=True)
class Done:
    """What came of a command: its exit code (128 + n after signal n), what it wrote, seconds."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float


class TimedOut(CheckFailed):
    """A command inside a host took longer than it was given; it has been ended."""


def run(
    engine: Engine,
    host: LiveHost,
    argv: Sequence[str],
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
) -> Done:
    """Run a command inside the host and return what came of it.

    A command that is not there gives code 127 or 126 and one line on stderr. With a
    `timeout`, in seconds, the host must have /bin/sh; what is left of the command's
    process group is killed when the time is over.
    Raises TimedOut then, MachineError when the host does not run or goes away meanwhile.
    """
    live.require_running(host)
    began = time.monotonic()
    job = _Job(engine, host, tuple(argv), user, dict(env or {}), cwd, timeout)
    with refused(f"running a command on host {host.name}"), watched(engine, host, argv):
        code, out, err = _through_api(job) if stdin is None else _through_client(job, stdin)
    if timeout is not None:
        _, _, out = out.partition(b"\n")
    return Done(code, out, err, time.monotonic() - began)


@dataclass(frozen=True)
class _Job:
    engine: Engine
    host: LiveHost
    argv: tuple[str, ...]
    user: str | None
    env: dict[str, str]
    cwd: str | None
    timeout: float | None

    @property
    def command(self) -> list[str]:
        return [*(_TELL_PID if self.timeout is not None else []), *self.argv]

    def late(self) -> TimedOut:
        return TimedOut(
            f"on host {self.host.name}: `{shlex.join(self.argv)}` did not end within "
            f"{self.timeout:g} seconds",
            "It was ended. Give it more time, or see what it waits for.",
        )


def _through_api(job: _Job) -> tuple[int, bytes, bytes]:
    api = job.engine.sdk.api
    made = api.exec_create(
        job.host.container_id,
        job.command,
        user=job.user or "",
        environment=job.env,
        workdir=job.cwd,
    )
    written = Written(job.engine, made["Id"])
    out, err = bytearray(), bytearray()

    def end() -> None:
        _kill(job, bytes(out))
        with suppress(Exception):  # where the kill did not work: stop waiting for it
            written.close()

    with _alarm(job.timeout, end) as expired:
        try:
            for part_out, part_err in written:
                out += part_out
                err += part_err
        except Exception:
            if not expired.is_set():
                raise
    if expired.is_set():
        raise job.late()
    ended = api.exec_inspect(made["Id"])
    if ended["ExitCode"] == KILLED:
        require_survival(job.engine, job.host, job.argv, KILLED)
    return _result(job, ended, bytes(out), bytes(err))


def _result(
    job: _Job, ended: Mapping[str, Any], out: bytes, err: bytes
) -> tuple[int, bytes, bytes]:
    code = ended["ExitCode"]
    if code is None:
        raise gone(job.host)
    if code in _NOT_STARTED and not ended["Pid"]:  # the words are the engine's, not the command's
        return code, b"", b" ".join((out + err).split()) + b"\n"
    return code, out, err


def _through_client(job: _Job, stdin: bytes) -> tuple[int, bytes, bytes]:
    """Run it with input: `docker exec` tells the input's end over every kind of connection."""
    how = ["--interactive", *options(job.user, job.env, job.cwd)]
    try:
        done = subprocess.run(
            ["docker", "exec", *how, job.host.container_id, *job.command],
            env=job.engine.env,
            input=stdin,
            capture_output=True,
            timeout=job.timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise compose.no_client() from error
    except subprocess.TimeoutExpired as error:
        _kill(job, error.stdout or b"")
        raise job.late() from error
    code = exit_code(done.returncode)
    if code != 0:
        require_survival(job.engine, job.host, job.argv, code)
    return code, done.stdout, done.stderr


def _kill(job: _Job, out: bytes) -> None:
    pid, newline, _ = out.partition(b"\n")
    if not (newline and pid.isdigit()):
        return
    # A command that is exec'd leads a process group of its own: its children end with it.
    kill = ["/bin/sh", "-c", f"kill -KILL -{int(pid)}"]
    with suppress(APIError, OSError):
        made = job.engine.sdk.api.exec_create(job.host.container_id, kill, user=job.user or "")
        job.engine.sdk.api.exec_start(made["Id"])  # it writes nothing


@contextmanager
def _alarm(timeout: float | None, end: Callable[[], None]) -> Iterator[threading.Event]:
    """Call `end` in another thread when the block takes longer than `timeout` seconds."""
    expired = threading.Event()
    if timeout is None:
        yield expired
        return

    def ring() -> None:
        expired.set()
        end()

    timer = threading.Timer(timeout, ring)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        if expired.is_set():
            timer.join()
