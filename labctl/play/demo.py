"""The default lab's main job on a real file: a download from a server, and one from a peer.

The file is put on the server and on peers a and b. The client fetches it from the server
(client and server); peer x asks the directory who has it, picks a holder and fetches it
from there (peer to peer). What arrived is compared by SHA-256, computed on the hosts by
sha256sum(1), not by the programs that sent or received it. Client and server are observed
from their first call on, so that their download can be drawn.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.engine import copying, inside
from labctl.engine.client import Engine
from labctl.engine.landing import Place
from labctl.engine.live import LiveLab
from labctl.errors import CheckFailed, MachineError, UsageError
from labctl.observe.observer import Observer
from labctl.play.judged import Judged, judge
from labctl.play.observed import finish, run_observed

SHARED = "/srv/files"
RECEIVED = "/tmp"
SHARERS = ("a", "b")
OBSERVED = ("client", "server")
_PATIENCE = 30
_LONGEST = 3600.0
_MEGABYTE = 1 << 20

Address = tuple[str, int]


@dataclass(frozen=True)
class Exchange:
    """Bytes that went from one host to another: what for, from and to where, in how long."""

    what: str
    sender: str
    source: Address
    receiver: str
    target: Address
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Proof:
    """The SHA-256 of a file on a host, told by the host's own sha256sum(1)."""

    host: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Told:
    """What the demo has to tell: `exchanges` in their order, `proofs` of the same file.

    `holders` are those that the directory named, by nick, with their IP address; peer x
    has `chosen` one of them.
    """

    file: str
    bytes: int
    holders: dict[str, str]
    chosen: str
    exchanges: tuple[Exchange, ...]
    proofs: tuple[Proof, ...]

    @property
    def whole(self) -> bool:
        """Whether every copy is the same, bit for bit."""
        return len({proof.sha256 for proof in self.proofs}) == 1


def default_file() -> Path:
    """Return a file of some megabytes that is on this machine: what runs labctl.

    Raises MachineError where none is found.
    """
    library = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
    candidates = [sys.executable, "/".join(map(str, library)), shutil.which("docker") or ""]
    for path in (Path(candidate).resolve() for candidate in candidates if candidate):
        if path.is_file() and path.stat().st_size >= _MEGABYTE:
            return path
    raise MachineError("no file of some megabytes was found for the demo", "Name one: FILE=...")


def require_file(file: Path) -> None:
    """Raise UsageError unless the file is one that can be sent."""
    if not file.is_file():
        raise UsageError(f"there is no file {file}", "Name one that is there: FILE=...")


def shared_name(file: Path) -> str:
    """Return a name for the file that the Napster protocol can carry: no spaces, no quotes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", file.name).lstrip(".") or "file"


class Demo:
    """The demo on a lab that is up; each method is one part of it, in their order."""

    def __init__(self, engine: Engine, lab: LiveLab, file: Path, observer: Observer) -> None:
        self._engine = engine
        self._lab = lab
        self._observer = observer
        self._file = file
        self.name = shared_name(file)
        self._at = {ip: h.name for h in lab.hosts for ip in h.addresses.values()}

    def give_out(self) -> None:
        """Put the file on the server and on the peers that share it."""
        source = Place(None, str(self._file))
        for name in ("server", *SHARERS):
            target = Place(self._lab.host(name), f"{SHARED}/{self.name}")
            copying.copy(self._engine, source, target)

    def from_server(self) -> Iterator[Exchange]:
        """Let the client fetch the file from the server, both of them observed."""
        argv = ["tcp_client", "server", self.name, "--out", f"{RECEIVED}/{self.name}"]
        # As in figure 6-30, however large the file is: a large one would be spliced.
        argv += ["--by", "recv"]
        told = json.loads(self._watched("client", [*argv, "--wait", str(_PATIENCE), "--json"]))
        yield self._exchange("the file, from a server", told["remote"], told["local"], told)

    def seen(self) -> Judged:
        """Return what was seen of the download from the server, on both hosts."""
        title = f"the client fetches {self.name} from the server"
        observation = finish(self._lab, self._observer, title)
        return judge(observation.recording, observation=observation)

    def wait_until_shared(self) -> None:
        """Wait until the directory's table has all who share the file.

        Raises CheckFailed when it has not within half a minute.
        """
        deadline = time.monotonic() + _PATIENCE
        nap = 0.05
        while not set(SHARERS) <= (holders := self._holders()):
            if time.monotonic() > deadline:
                raise CheckFailed(
                    f"the directory knows {self.name} of {sorted(holders) or 'nobody'} only",
                    "`labctl demo --keep`, then `labctl logs directory a b`, show why.",
                )
            time.sleep(nap)
            nap = min(nap * 1.5, 1.0)

    def _holders(self) -> set[str]:
        table = self._json("directory", ["directory", "table", "--json"])
        return {
            holder["nick"]
            for file in table["files"]
            if file["file"] == self.name
            for holder in file["holders"]
        }

    def from_peer(self) -> Iterator[Exchange]:
        """Let peer x find the file through the directory and fetch it from a holder."""
        told = self._json("x", self._peer("get", self.name, "--out", RECEIVED))
        self.chosen = str(told["chosen"]["nick"])
        self.holders = {holder["nick"]: holder["ip"] for holder in told["holders"]}
        for step in told["steps"]:
            yield self._exchange(step["what"], step["from"], step["to"], step)

    def proofs(self) -> tuple[Proof, ...]:
        """Have the hosts compute the SHA-256 of what was sent and of what arrived."""
        places = [("server", SHARED), ("client", RECEIVED), (self.chosen, SHARED), ("x", RECEIVED)]
        return tuple(self._proof(host, f"{folder}/{self.name}") for host, folder in places)

    def told(self, exchanges: list[Exchange]) -> Told:
        """Return what happened, with the proofs."""
        size = self._file.stat().st_size
        return Told(self.name, size, self.holders, self.chosen, tuple(exchanges), self.proofs())

    def _peer(self, verb: str, *args: str) -> list[str]:
        return ["peer", verb, *args, "--directory", "directory", "--wait", str(_PATIENCE), "--json"]

    def _watched(self, host: str, argv: list[str]) -> str:
        done = run_observed(self._engine, self._lab, self._observer, host, argv, _LONGEST)
        return self._output_of(done, host, argv)

    def _run(self, host: str, argv: list[str]) -> str:
        return self._output_of(inside.run(self._engine, self._lab.host(host), argv), host, argv)

    def _output_of(self, done: inside.Done, host: str, argv: list[str]) -> str:
        if done.code != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise CheckFailed(
                f"host {host}: `{' '.join(argv)}` ended with {done.code}: {said}",
                "Is it the file? Try another with FILE=...; `make demo` again shows if it stays.",
            )
        return done.stdout.decode(errors="replace")

    def _json(self, host: str, argv: list[str]) -> Any:
        return json.loads(self._run(host, argv))

    def _exchange(
        self, what: str, source: list[Any], target: list[Any], told: dict[str, Any]
    ) -> Exchange:
        sender, receiver = (str(source[0]), int(source[1])), (str(target[0]), int(target[1]))
        return Exchange(
            what,
            self._at.get(sender[0], sender[0]),
            sender,
            self._at.get(receiver[0], receiver[0]),
            receiver,
            int(told["bytes"]),
            float(told["seconds"]),
        )

    def _proof(self, host: str, path: str) -> Proof:
        return Proof(host, path, self._run(host, ["sha256sum", path]).split()[0])
