"""What calls tell of the addresses of sockets (bind(2), getsockname(2), getpeername(2))."""

from __future__ import annotations

from labctl.sequence import arguments
from labctl.sequence.descriptor_table import Kernel
from labctl.sequence.events import Call, Endpoint
from labctl.sequence.recording import Recording
from labctl.sequence.verbs import verb

UNDER_WAY = frozenset({"EINPROGRESS", "EALREADY", "EINTR", "EAGAIN", "ERESTARTSYS"})
"""With these, connect is not over; a later connect on the same socket goes on with it."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a connect to the address that stands for none goes (ip(7), INADDR_ANY)."""


def destination(call: Call) -> Endpoint | None:
    """Return where a connect, or a send with an address, goes."""
    named = arguments.endpoint(call)
    if named is None:
        return None
    return Endpoint(_LOOPBACK.get(named.address, named.address), named.port)


def tell(calls: tuple[Call, ...], sockets: dict[int, Kernel]) -> None:
    """Note in each socket what the calls on it tell of it."""
    for call in calls:
        socket = sockets.get(call.socket or 0)
        if socket is None:
            continue
        name = verb(call.name)
        if name == "connect" and (not call.failed or call.errno in UNDER_WAY):
            socket.remote = destination(call) or socket.remote
        elif call.failed or call.result is None:
            continue
        elif name == "bind":
            socket.local, socket.bound = arguments.endpoint(call), True
        elif name == "listen":
            socket.listening = True
        elif name == "accept":
            socket.remote = arguments.endpoint(call) or socket.remote
            listener = socket.listener
            if listener is not None and listener.local and concrete(listener.local):
                socket.local = listener.local
        elif name == "getsockname":
            socket.local = arguments.endpoint(call) or socket.local
        elif name == "getpeername":
            socket.remote = arguments.endpoint(call) or socket.remote


def concrete(endpoint: Endpoint | None) -> bool:
    """Tell whether an endpoint is one that packets can have."""
    return endpoint is not None and endpoint.port != 0 and not wildcard(endpoint)


def wildcard(endpoint: Endpoint) -> bool:
    return endpoint.address in arguments.WILDCARDS


def covers(local: Endpoint | None, endpoint: Endpoint) -> bool:
    """Tell whether packets to an endpoint reach a socket that is bound to `local`."""
    return (
        local is not None
        and local.port == endpoint.port
        and (wildcard(local) or local.address == endpoint.address)
    )


def loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


class Hosts:
    """Which address is whose."""

    def __init__(self, recording: Recording) -> None:
        self._of = {a: host.name for host in recording.hosts for a in host.addresses.values()}

    def of(self, address: str) -> str | None:
        return self._of.get(address)
