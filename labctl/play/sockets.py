"""Looks at the sockets of a host, once or again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from labctl.engine import live, presence
from labctl.engine.client import Engine
from labctl.engine.live import LiveHost
from labctl.engine.observers import provide_image
from labctl.engine.shield import shielded
from labctl.engine.sidecar import AgentRefused, Sidecar
from labctl.engine.socket_observer import watch_sockets
from labctl.errors import EngineError, MachineError
from labctl.observe.sockets import snapshot
from labctl.observe.sockets.changes import changes
from labctl.observe.sockets.model import Snapshot

_PATIENCE = 5.0
_NAP = 0.1


@dataclass(frozen=True)
class Looker:
    """An agent beside a host, that can be asked for its sockets."""

    engine: Engine
    host: LiveHost
    sidecar: Sidecar

    def look(self) -> Snapshot:
        """Return what is there now.

        Raises HostEnded where the host is not there any more, MachineError where its sockets
        cannot be looked at.
        """
        try:
            told = self.sidecar.ask("sockets")
        except AgentRefused:
            raise
        except MachineError:
            self._require_host()
            raise
        return snapshot.read(self.host.name, told)

    def _require_host(self) -> None:
        """Raise HostEnded where the host has ended: its agent ends with it, some time before
        the engine says so."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                presence.require_still_running(self.engine, self.host)
            except EngineError:
                raise
            except MachineError as error:
                raise HostEnded(error.message, error.hint) from error
            time.sleep(_NAP)


class HostEnded(MachineError):
    """The host that was looked at has ended, or was removed."""


@contextmanager
def looking(
    engine: Engine, host: LiveHost, note: Callable[[str], None] = lambda line: None
) -> Iterator[Looker]:
    """Within the block one can look at a host's sockets; nothing is left beside it then.

    Raises MachineError where the host does not run or cannot be observed.
    """
    live.require_running(host)
    image = provide_image(engine, note)
    sidecar = watch_sockets(engine, image, host.lab_name, host.name, host.container_id)
    try:
        yield Looker(engine, host, sidecar)
    finally:
        with shielded():
            sidecar.end()


def changing(
    looker: Looker, interval: float, timeout: float | None, shown: Callable[[Snapshot], Snapshot]
) -> Iterator[tuple[Snapshot, bool]]:
    """Yield what is shown of each look, and whether anything in it differs from the one before.

    It is looked every `interval` seconds, until `timeout` seconds are over. Raises what `look`
    raises: HostEnded is the ordinary end where there is no `timeout`.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    last: Snapshot | None = None
    while True:
        now = shown(looker.look())
        yield now, last is None or bool(changes(last, now))
        last = now
        left = interval if deadline is None else min(interval, deadline - time.monotonic())
        if left <= 0:
            return
        time.sleep(left)
