"""The conditions that a step can wait for: what each is called, and one look at it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Protocol

from labctl.engine.inside import TimedOut
from labctl.engine.output import Output
from labctl.lab import model
from labctl.play import procnet
from labctl.play.hosts import Command, Hosts
from labctl.play.words import last_line, line_of, plural

_LOOK_TIMEOUT = 15.0
"""Seconds that one look may take at most on a busy machine."""


@dataclass(frozen=True)
class Seen:
    """What a look has shown; `hopeless` when no later one can show anything else."""

    holds: bool
    what: str
    hopeless: bool = False


class Condition(Protocol):
    """`words` says what is waited for, `look` whether it holds.

    A look raises TimedOut when it takes longer than `timeout` seconds.
    """

    @property
    def words(self) -> str: ...
    def look(self, timeout: float, /) -> Seen: ...


@dataclass(frozen=True)
class Earlier:
    """A background step that was started before."""

    name: str
    command: Command
    output: Output


class Start(Protocol):
    """Runs a command on a host and ends it when `timeout` seconds are over."""

    def __call__(self, host: str, command: model.Command, timeout: float) -> tuple[int, str]:
        """Return its exit code and what it printed. Raises TimedOut."""


@dataclass(frozen=True)
class Listening:
    """A socket of the host is bound to the port; over TCP it is in LISTEN."""

    hosts: Hosts
    host: str
    port: int
    transport: procnet.Transport

    @property
    def words(self) -> str:
        verb = "listens on" if self.transport == "tcp" else "has a socket bound to"
        return f"{self.host} {verb} port {self.port}/{self.transport}"

    def look(self, timeout: float, /) -> Seen:
        # A kernel without IPv6 has no second file; `cat` then shows the first all the same.
        files = [f"/proc/net/{self.transport}", f"/proc/net/{self.transport}6"]
        done = self.hosts.run(self.host, ["cat", *files], min(timeout, _LOOK_TIMEOUT))
        if not done.stdout:
            said_so = last_line(done.stderr.decode(errors="replace"))
            return Seen(False, f"its sockets cannot be read: {said_so}", hopeless=True)
        text = done.stdout.decode(errors="replace")
        bound = [
            s
            for s in procnet.parse(text, self.transport)
            if s.bound and s.local != procnet.ENGINE_RESOLVER
        ]
        if any(s.local_port == self.port for s in bound):
            return Seen(True, "")
        places = dict.fromkeys(f"{_host_part(s)}:{s.local_port}" for s in bound)
        return Seen(
            False, f"{self.transport} ports bound on {self.host}: {', '.join(places) or 'none'}"
        )


def _host_part(socket: procnet.Socket) -> str:
    return f"[{socket.local}]" if socket.local.version == 6 else str(socket.local)


_IS_THERE = """
[ -e "$1" ] && exit 0
dir=${1%/*}; dir=${dir:-/}
[ -d "$dir" ] || { echo "there is no folder $dir"; exit 1; }
cd "$dir" 2>/dev/null || { echo "the folder $dir may not be entered"; exit 1; }
set -- *
[ -e "$1" ] || { echo "the folder $dir is empty"; exit 1; }
echo "the folder $dir holds $*"
exit 1
"""


@dataclass(frozen=True)
class FileThere:
    """Anything is there under that path."""

    hosts: Hosts
    host: str
    path: str

    @property
    def words(self) -> str:
        return f"{self.path} is there on {self.host}"

    def look(self, timeout: float, /) -> Seen:
        argv = ["/bin/sh", "-c", _IS_THERE, "sh", self.path]
        done = self.hosts.run(self.host, argv, min(timeout, _LOOK_TIMEOUT))
        text = line_of((done.stdout or done.stderr).decode(errors="replace"))
        return Seen(done.code == 0, text)


@dataclass(frozen=True)
class Printed:
    """A background step has printed a text."""

    step: Earlier
    wanted: str

    @property
    def words(self) -> str:
        return f'step {self.step.name} has printed "{self.wanted}"'

    def look(self, _timeout: float, /) -> Seen:
        ended = self.step.command.wait(0)  # before the output: all of it has come by then
        if self.step.output.has(self.wanted):
            return Seen(True, "")
        printed = last_line(self.step.output.stdout.text) or last_line(self.step.output.stderr.text)
        what = f'its last line is "{printed}"' if printed else "it has printed nothing"
        if ended:
            what = f"it has ended with exit code {self.step.command.code}; {what}"
        return Seen(False, what, hopeless=ended)


@dataclass(frozen=True)
class Ended:
    """A background step has ended."""

    step: Earlier

    @property
    def words(self) -> str:
        return f"step {self.step.name} has ended"

    def look(self, _timeout: float, /) -> Seen:
        ended = self.step.command.wait(0)
        return Seen(ended, f"it has been running for {self.step.command.seconds:.1f} s")


@dataclass
class Succeeds:
    """A command ends with 0."""

    start: Start
    host: str
    command: model.Command
    tries: int = 0

    @property
    def words(self) -> str:
        text = self.command if isinstance(self.command, str) else shlex.join(self.command)
        return f"`{text.strip()}` succeeds on {self.host}"

    def look(self, timeout: float, /) -> Seen:
        self.tries += 1
        try:
            code, printed = self.start(self.host, self.command, timeout)
        except TimedOut:
            return Seen(False, f"try {self.tries} did not end in the time that was left")
        quoted = f': "{last_line(printed)}"' if printed.strip() else ""
        return Seen(code == 0, f"{plural(self.tries, 'try')}, exit code {code}{quoted}")
