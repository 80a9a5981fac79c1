"""The desk of a peer that fetches a file from a swarm: lets in who has pieces of the same."""

from pathlib import Path

from exchange import Exchange
from manifest import Manifest
from napster import Malformed
from swarm_line import Line
from swarm_loop import Address, Loop
from swarm_store import Partial
from swarm_wire import Frame, Hello, Kind


class Fetch:
    """The file of `manifest` on its way to `target`; `port` is where this peer takes calls.

    Raises CannotWrite when there is no room for it.
    """

    def __init__(self, manifest: Manifest, target: Path, nick: str, port: int) -> None:
        self.partial = Partial(manifest, target)
        self.exchange = Exchange(manifest, self.partial, lambda ip, to: self.call((ip, to), "-"))
        self.loop = Loop(self)
        self._hello = Hello(nick, "-", manifest.size, manifest.root, port)

    def call(self, address: Address, name: str) -> None:
        """Call a peer, who has the file under that name (`-`: one that is fetching it, too)."""
        self.loop.call(address, self._hello._replace(name=name))

    def take(self, line: Line, message: Frame) -> Exchange | None:
        if message.kind != Kind.HELLO:
            raise Malformed(f"{message.kind.name} before HELLO")
        line.hello = Hello.parse(message.data)
        if line.hello.root != self._hello.root:
            raise Malformed("does not have the file")
        if line.hello.nick == self._hello.nick:
            raise Malformed("that is this peer itself")
        if not line.called:
            line.put(self._hello.frame())
        return self.exchange

    def close(self) -> None:
        """Hang up on everybody; what was not kept is removed."""
        self.loop.close()
        self.partial.discard()
