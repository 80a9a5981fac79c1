"""The desk of a peer that fetches a file from a swarm: lets in who has pieces of the same."""

from pathlib import Path

from exchange import Exchange
from manifest import Manifest
from napster import Malformed
from swarm_callers import Callers
from swarm_line import Line
from swarm_loop import Address, Loop
from swarm_store import Partial
from swarm_wire import GREETING, Frame, Hello, Kind


class Fetch:
    """The file of `manifest` on its way to `target`; where `callers` have a door, this peer takes
    calls there.

    Raises CannotWrite when there is no room for it.
    """

    def __init__(self, manifest: Manifest, target: Path, nick: str, callers: Callers) -> None:
        door = callers.door
        self._callers = callers
        self._last: dict[str, Line] = {}
        """The last connection to each of these, by nicks in lower case."""
        self.partial = Partial(manifest, target)
        self.exchange = Exchange(manifest, self.partial, lambda ip, to: self.call((ip, to), "-"))
        self.loop = Loop(self)
        port = door.port if door is not None else 0
        self._hello = Hello(nick, "-", manifest.size, manifest.root, port)
        if door is not None:
            answers = {
                word: GREETING + self._hello._replace(name=name).frame()
                for word, name in callers.words().items()
            }
            self.loop.listen(door.listener, answers)

    def invite(self) -> None:
        """Have those call that cannot be called, are not here, and have not lied."""
        liars = {nick for nick, line in self._last.items() if line.lied}
        here = {line.hello.nick.lower() for line in self.exchange.lines if line.hello}
        self._callers.invite(besides=liars | here)

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
        if line.hello.nick in self._callers:
            self._last[line.hello.nick.lower()] = line
            self._callers.came(line.hello.nick)
        if not line.called:
            line.put(self._hello.frame())
        return self.exchange

    def close(self) -> None:
        """Hang up on everybody; what was not kept is removed."""
        self.loop.close()
        self.partial.discard()
