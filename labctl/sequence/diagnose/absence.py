"""Why nothing took what was sent to a port: where is the socket that should have?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.ports import Holder, covers, is_loopback
from labctl.sequence.diagnose.words import listed, span
from labctl.sequence.events import Endpoint

Reason = Literal[
    "loopback",
    "other-address",
    "not-listening",
    "later",
    "gone",
    "own-host",
    "other-port",
    "nobody",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Absence:
    """Why nobody was there; `holder` is the socket that it is about, where there is one."""

    reason: Reason
    holder: Holder | None
    sentence: str
    advice: str


def absence(facts: Facts, host: str | None, target: Endpoint, protocol: str, time: int) -> Absence:
    """Return why a host had nobody at an address and port at a time, for `tcp` or `udp`."""
    if host is None:
        return Absence(
            "unknown",
            None,
            f"nothing {_does(protocol)} {target}, a host that was not observed",
            "See that the server runs there, and that the address and port are the server's.",
        )
    holders = facts.ports.holders(host, protocol, target.port)
    present = [holder for holder in holders if holder.open_at(time)]
    for holder in present:
        if not covers(holder.local, target.address):
            return _elsewhere(facts, holder, target)
    for holder in present:
        if protocol == "tcp" and holder.listened is None:
            return _not_listening(facts, holder)
    for holder in holders:
        begin = holder.listened if protocol == "tcp" else holder.bound
        if begin is not None and begin > time:
            return _later(facts, holder, protocol, begin - time)
    for holder in holders:
        if holder.closed is not None and holder.closed <= time:
            return _gone(facts, holder, time)
    return _no_holder(facts, host, target, protocol, time)


def _does(protocol: str) -> str:
    return "listens on" if protocol == "tcp" else "is bound to"


def _elsewhere(facts: Facts, holder: Holder, target: Endpoint) -> Absence:
    socket, local = holder.socket, holder.local
    owner = facts.owner(socket)
    if is_loopback(local.address):
        return Absence(
            "loopback",
            holder,
            f"{owner} is bound to {local} only, which nobody but {socket.host} itself can reach,"
            f" not to {target.address}",
            "Let the server bind 0.0.0.0 (all addresses of the host) or the address that clients"
            " use.",
        )
    return Absence(
        "other-address",
        holder,
        f"{owner} is bound to {local} only, not to {target.address}",
        "Let the server bind 0.0.0.0, or let the client use the address that the server has bound.",
    )


def _not_listening(facts: Facts, holder: Holder) -> Absence:
    return Absence(
        "not-listening",
        holder,
        f"{facts.owner(holder.socket)} had bound {holder.local} but had not called listen",
        "bind only gives the socket its address; listen makes the kernel answer SYNs. Call listen"
        " before the first client comes.",
    )


def _later(facts: Facts, holder: Holder, protocol: str, late: int) -> Absence:
    call = "listen" if protocol == "tcp" else "bind"
    return Absence(
        "later",
        holder,
        f"{facts.owner(holder.socket)} called {call} for {holder.local} only {span(late)} later",
        "Start the client when the server is ready (a scenario step can wait for it), or let the"
        " client try again after a pause.",
    )


def _gone(facts: Facts, holder: Holder, time: int) -> Absence:
    assert holder.closed is not None
    return Absence(
        "gone",
        holder,
        f"{facts.owner(holder.socket)} had closed the socket bound to {holder.local}"
        f" {span(time - holder.closed)} before",
        "See why the server closed it, or ended, while clients still come.",
    )


def _no_holder(facts: Facts, host: str, target: Endpoint, protocol: str, time: int) -> Absence:
    if is_loopback(target.address):
        others = sorted(
            {
                f"{other} ({holder.local})"
                for other in facts.hosts
                if other != host
                for holder in facts.ports.holders(other, protocol, target.port)
                if holder.open_at(time)
            }
        )
        if others:
            return Absence(
                "own-host",
                None,
                f"{target.address} is {host} itself; who has port {target.port} is"
                f" {listed(others)}",
                "Give the client the server's address or name instead of 127.0.0.1.",
            )
    unbound = facts.ports.unbound(host, time) if protocol == "tcp" else None
    if unbound:
        return Absence(
            "other-port",
            None,
            f"nothing on {host} listens on port {target.port}, but {facts.owner(unbound.socket)}"
            f" called listen without a successful bind, so that its port is one that the kernel"
            f" chose",
            "Call bind with the port that clients know before listen, and look at its result.",
        )
    near = [
        holder
        for holder in facts.ports.servers(host, protocol)
        if covers(holder.local, target.address)
        and holder.open_at(time)
        and (protocol != "tcp" or holder.listening_at(time))
    ]
    if near:
        ports = listed(sorted({str(holder.local.port) for holder in near}))
        owners = listed(sorted({facts.owner(holder.socket) for holder in near}))
        return Absence(
            "other-port",
            near[0],
            f"nothing on {host} {_does(protocol)} port {target.port}, but {owners} has"
            f" port {ports}",
            "Use the same port on both sides.",
        )
    return Absence(
        "nobody",
        None,
        f"nothing on {host} {_does(protocol)} port {target.port}",
        "Start the server, and see that it did not end early (labctl logs).",
    )
