"""Fills in the addresses of calls from what other events tell of their sockets. Pure.

The trace has only pointers to addresses. But while a call is at work the kernel tells, in the
same thread, for which addresses it looks for a route (connect, sendto), between which a socket
changes its state (connect, listen, shutdown, close) or has data taken out of it (recv). Only
what is certain is filled in.
"""

from __future__ import annotations

from labctl.observe.tracefs import ends
from labctl.observe.tracefs.ends import Ends
from labctl.observe.tracefs.files import RawSocket
from labctl.observe.tracefs.lines import Line
from labctl.observe.tracefs.states import RawState
from labctl.observe.tracefs.tasks import RawCall, Task
from labctl.sequence.events import Endpoint
from labctl.sequence.verbs import verb

_ADDRESS = 4
"""Which argument of sendto points at the address; 0 where there is none."""


class Addresses:
    """Told of events as they come; writes into the `more` of calls."""

    def __init__(self) -> None:
        self._opening: dict[Task, RawState] = {}
        """The change to SYN-SENT of the connect that a thread is in: it has no port yet."""

    def route(self, task: Task, line: Line) -> None:
        """A thread looks for a route."""
        call = task.call
        found = None if call is None or line.soft else ends.of_route(line.text)
        if call is None or found is None:
            return
        if call.name == "connect":
            call.more.setdefault("address", str(found.remote))
            _bound(call, found)
            opening = self._opening.get(task)
            if opening and found.local.port and found.remote == opening.remote:
                opening.local = found.local
        elif call.name == "sendto" and any(call.values[_ADDRESS : _ADDRESS + 1]):
            call.more.setdefault("address", str(found.remote))
            _bound(call, found)
        elif call.name == "sendmsg" and call.socket and not call.socket.remote:
            call.more.setdefault("address", str(found.remote))

    def received(self, task: Task, line: Line) -> None:
        """A thread has taken data out of a TCP socket."""
        call = task.call
        if call is None or verb(call.name) not in ("recv", "splice"):
            return
        found = ends.of_socket(line.text)
        if found is not None:
            _know(call.socket, found)

    def changed(self, task: Task, state: RawState) -> None:
        """A socket has changed its state by what a thread does."""
        call = task.call
        if call is None:
            return
        if call.name == "connect" and state.new == "SYN-SENT":
            call.more.setdefault("address", str(state.remote))
            self._opening[task] = state
        elif call.name == "listen" and state.new == "LISTEN" and state.local.port:
            _tell(call, state.local)
            if call.socket:
                call.socket.local, call.socket.since = state.local, state.time
                if call.socket.bound:
                    _tell(call.socket.bound, state.local)
        elif call.name in ("shutdown", "close") and state.time - call.start > _APART:
            _know(call.socket, Ends(state.local, state.remote))

    def over(self, task: Task, call: RawCall) -> None:
        """The call that a thread was in has returned."""
        self._opening.pop(task, None)
        address = call.more.get("address")
        if call.name == "connect" and call.socket and isinstance(address, str):
            call.socket.remote = Endpoint.parse(address)


_APART = 1500
"""In ns: so much later than the entry of a call an event surely belongs to it, not to the one
before it, though times are known to half a microsecond only."""


def _know(socket: RawSocket | None, found: Ends) -> None:
    """A descriptor stands for the socket with these ends: an accept's peer is known then."""
    if socket is None or socket.listening or socket.remote or not found.remote.port:
        return
    socket.local, socket.remote = found.local, found.remote
    if socket.listener is not None:
        _tell(socket.made, found.remote)


def _bound(call: RawCall, found: Ends) -> None:
    """A route is first looked for from the address that the socket is bound to, if it is."""
    if call.socket and call.socket.bound and found.local.port:
        _tell(call.socket.bound, found.local)


def _tell(call: RawCall, endpoint: Endpoint) -> None:
    call.more.setdefault("address", str(endpoint))
