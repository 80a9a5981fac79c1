"""A container of the observer image beside a host, and the agent in it that does as it is told.

What the agent does is in images/observer/agent. It and all that it started end with the
container; the container ends with whoever started it, as its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from labctl.engine import compose, labels
from labctl.engine.client import Engine
from labctl.engine.evidence import Evidence
from labctl.errors import MachineError

AGENT = ("python3", "/opt/agent/agent.py")
CAPABILITIES = (
    *("SYS_PTRACE", "KILL", "DAC_READ_SEARCH"),
    *("NET_RAW", "NET_ADMIN", "SETUID", "SETGID"),
)
"""What an observer of one host needs: to trace, to let go on, to read /proc;
and to capture: tcpdump(8) sets its user, also to the one that it has."""

_START_TIMEOUT = 60.0
_END_TIMEOUT = 20.0
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Beside:
    """Where a sidecar is put: `options` of docker-run(1); `where` names it in errors."""

    lab_name: str
    where: str
    options: tuple[str, ...]


def beside(lab_name: str, host: str, container_id: str) -> Beside:
    """Return the place beside a host: in its network and pid namespaces."""
    target = f"container:{container_id}"
    return Beside(lab_name, f"host {host}", ("--network", target, "--pid", target, *granted()))


def alone(name: str) -> Beside:
    """Return a place beside no host, where an agent may do the same as beside one."""
    return Beside(name, "this machine", ("--network", "none", *granted()))


def granted() -> list[str]:
    """Return the options that give an observer of one host what it needs."""
    return [word for cap in CAPABILITIES for word in ("--cap-add", cap)]


class AgentRefused(MachineError):
    """The agent could not do what it was told; the message has its reason."""


class Sidecar:
    """A running agent. Its methods may be called from several threads.

    Raises MachineError where the container cannot be started.
    """

    def __init__(
        self, engine: Engine, place: Beside, image: str, argv: Sequence[str] = AGENT
    ) -> None:
        self._place = place
        self._lock = threading.Lock()
        told = labels.for_observer(place.lab_name, place.where)
        marked = (word for item in told.items() for word in ("--label", "=".join(item)))
        name = f"{place.lab_name}.observer-{secrets.token_hex(4)}"
        self._image = image
        self._evidence = Evidence(engine, name, told)
        command = [
            *("docker", "run", "--rm", "--interactive", "--pull", "never", "--user", "0"),
            *("--name", name),
            # What tracers write goes to a volume: through a storage driver each write may take
            # long, and hold up the call that is written about.
            *("--mount", self._evidence.mount),
            *("--cap-drop", "ALL", *place.options, *marked, image, *argv),
        ]
        try:
            self._child = subprocess.Popen(
                command,
                env=engine.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C on the terminal is ours to handle
            )
        except FileNotFoundError as error:
            self._evidence.remove()
            raise compose.no_client() from error
        self._errors: list[bytes] = []
        threading.Thread(target=self._read_errors, daemon=True).start()
        self.hello: dict[str, Any] = self._started()
        """What the agent found when it started."""

    def _started(self) -> dict[str, Any]:
        try:
            return self.ask("hello", _START_TIMEOUT)
        except BaseException:
            self.kill()
            raise

    def _read_errors(self) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self._errors = [*self._errors[-20:], line]

    def ask(self, do: str, timeout: float = 30.0, **given: Any) -> dict[str, Any]:
        """Have the agent do something; return what came of it.

        Raises AgentRefused with its reason where it cannot, MachineError where it does not
        answer within `timeout` seconds or has ended.
        """
        with self._lock:
            return self._ask(do, timeout, given)

    def _ask(self, do: str, timeout: float, given: dict[str, Any]) -> dict[str, Any]:
        self._tell({"do": do, **given})
        line = self._line(do, timeout)
        answer = json.loads(line)
        if "failed" in answer:
            raise AgentRefused(
                f"{self._place.where} cannot be observed: {answer['failed']}",
                "`labctl doctor` shows what this machine can do.",
            )
        done: dict[str, Any] = answer["done"]
        return done

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(command).encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def _line(self, do: str, timeout: float) -> bytes:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._child.kill()

        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            line = self._stdout.readline()
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return line
        if late.is_set():
            raise MachineError(
                f"the observer of {self._place.where} did not answer `{do}` within {timeout:g} s",
                "The machine may be overloaded: try again.",
            )
        raise self._ended()

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._child.stdout is not None
        return self._child.stdout

    def _ended(self) -> MachineError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_END_TIMEOUT)
        lines = b"".join(self._errors).decode(errors="replace").splitlines()
        # docker(1) ends an error with a blank line and a word on its own help.
        said = [line.strip() for line in lines if line.strip() and "docker run --help" not in line]
        why = f": {said[-1]}" if said else ""
        return MachineError(
            f"the observer of {self._place.where} has ended{why}",
            "Does the host still run? `labctl ps` and `labctl doctor` tell more.",
        )

    def fetch(self, file: str, into: Path, timeout: float = 300.0) -> None:
        """Write one of the agent's files to a path of this machine; the agent drops it then."""
        with self._lock:
            size = self._ask("fetch", timeout, {"file": file})["bytes"]
            with into.open("wb") as target:
                for block in self._blocks(size):
                    target.write(block)

    def _blocks(self, size: int) -> Iterator[bytes]:
        while size:
            block = self._stdout.read(min(size, _BLOCK))
            if not block:
                raise self._ended()
            size -= len(block)
            yield block

    def recover(self, folder: Path, prefix: str) -> list[str]:
        """Write the agent's files to a folder although it has ended with its host; return their
        names.

        Each gets `prefix` before its name there. Raises MachineError where that fails.
        """
        return self._evidence.read(self._image, folder, prefix)

    def end(self) -> None:
        """Let go of what is observed, and end the container; return when it is gone.

        What it has written goes with it.
        """
        assert self._child.stdin is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(_END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._evidence.remove()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(OSError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(2.0)
        self._child.kill()
        self._child.wait()
        self._evidence.remove()
