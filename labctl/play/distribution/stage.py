"""A lab that is set for distributing a file: who has a part in it, and who counts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from labctl.engine import copying, inside
from labctl.engine.client import Engine
from labctl.engine.landing import Place
from labctl.engine.live import LiveLab
from labctl.engine.netside import NetSide, beside_network
from labctl.engine.observers import provide_image
from labctl.errors import CheckFailed, MachineError
from labctl.play.distribution import counters
from labctl.play.distribution.counters import Counters
from labctl.play.distribution.files import Item

SERVER, DIRECTORY, SEED, PEER = "server", "directory", "seed", "peer"
SHARED, RECEIVED = "/srv/files", "/tmp"
SWARM = ("peer", "get", "--swarm")
"""What a peer fetches with; options and the file's name follow."""

PATIENCE = 60.0
_ROOM = 1.1

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Stage:
    """A lab that is up, with a container beside each host that reads its kernel's counters."""

    engine: Engine
    lab: LiveLab
    item: Item
    sides: Mapping[str, NetSide]
    get: Sequence[str] = SWARM

    @property
    def peers(self) -> list[str]:
        """The hosts that the file is distributed to."""
        return [h.name for h in self.lab.hosts if h.name.partition("-")[0] == PEER]

    def each(self, hosts: Sequence[str], work: Callable[[str], _Result]) -> dict[str, _Result]:
        """Return what `work` returns for each host, done for several at a time."""
        with ThreadPoolExecutor(self.engine.at_once) as pool:
            return dict(zip(hosts, pool.map(work, hosts), strict=True))

    def sh(self, host: str, *argv: str) -> str:
        """Return what a command on a host printed. Raises CheckFailed where it fails."""
        done = inside.run(self.engine, self.lab.host(host), argv)
        if done.code != 0:
            said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())
            raise CheckFailed(f"on host {host}: `{' '.join(argv)}` ended with {done.code}: {said}")
        return done.stdout.decode(errors="replace")

    def give_out(self) -> None:
        """Put the file on the media server and on the seed."""
        target = f"{SHARED}/{self.item.name}"
        self._require_room()
        for host in (SERVER, SEED):
            if self.item.path is None:
                self.sh(host, *self.item.make(target))
            else:
                source = Place(None, str(self.item.path))
                copying.copy(self.engine, source, Place(self.lab.host(host), target))

    def _require_room(self) -> None:
        told = self.sh(SEED, "df", "--output=avail", "--block-size=1", SHARED)
        copies = len(self.peers) + 2
        if int(told.split()[-1]) < _ROOM * copies * self.item.size:
            raise MachineError(
                f"the engine's disk has no room for {copies} copies of {self.item.name}",
                "Take a smaller file, or fewer peers. `labctl doctor` tells how much is free.",
            )

    def wait_until_shared(self) -> None:
        """Wait until the directory knows that the seed has the file."""
        deadline = time.monotonic() + PATIENCE
        while not self._shared():
            if time.monotonic() > deadline:
                raise CheckFailed(
                    f"the directory does not know {self.item.name} after {PATIENCE:g} s",
                    "Does the seed run? `labctl up distribution`, then `labctl logs seed`.",
                )
            time.sleep(0.2)

    def _shared(self) -> bool:
        table = json.loads(self.sh(DIRECTORY, "directory", "table", "--json"))
        return any(one["file"] == self.item.name and one["holders"] for one in table["files"])

    def count(self) -> dict[str, Counters]:
        """Read the counters of all hosts."""
        return self.each(
            list(self.sides),
            lambda host: counters.read(host, self.sides[host].run(counters.READ)),
        )


@contextmanager
def staged(
    engine: Engine,
    lab: LiveLab,
    item: Item,
    get: Sequence[str] = SWARM,
    note: Callable[[str], None] = lambda line: None,
) -> Iterator[Stage]:
    """Within the block the kernels of all hosts count who has sent them how much."""
    image = provide_image(engine, note)
    hosts = [host for host in lab.hosts if host.running]
    addresses = [address for host in hosts for address in host.addresses.values()]
    with ExitStack() as stack:
        made = [beside_network(engine, image, lab.name, h.name, h.container_id) for h in hosts]
        with ThreadPoolExecutor(engine.at_once) as pool:
            entered = list(pool.map(stack.enter_context, made))
        sides = {side.host: side for side in entered}
        stage = Stage(engine, lab, item, sides, get)
        stage.each(list(sides), lambda host: sides[host].run(counters.rules(addresses)))
        yield stage
