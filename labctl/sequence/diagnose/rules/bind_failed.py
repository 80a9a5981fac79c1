"""Addresses that a bind was not given: a low port, another host's address (bind(2), ip(7))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.arguments import endpoint
from labctl.sequence.diagnose.diagnosis import Finding, Rule
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.events import Call


def bind_failed(facts: Facts) -> Iterator[Finding]:
    """Say of binds that failed with EACCES or EADDRNOTAVAIL what was wrong with the address."""
    for call in facts.calls:
        if call.name != "bind" or call.errno not in ("EACCES", "EADDRNOTAVAIL"):
            continue
        socket = facts.sockets.get(call.socket or 0)
        if socket is not None and "INET" in socket.family:
            yield _low_port(facts, call) if call.errno == "EACCES" else _not_local(facts, call)


def _low_port(facts: Facts, call: Call) -> Finding:
    wanted = endpoint(call)
    port = f"port {wanted.port}" if wanted else "its port"
    return _finding(
        facts,
        call,
        "low-port",
        f"the kernel keeps {port} for processes with CAP_NET_BIND_SERVICE, as it does all below"
        " the sysctl net.ipv4.ip_unprivileged_port_start (1024 unless it was changed)",
        "Use a port from 1024 on, or give the program that capability.",
    )


def _not_local(facts: Facts, call: Call) -> Finding:
    wanted = endpoint(call)
    owner = facts.host_at(wanted.address) if wanted else None
    address = wanted.address if wanted else "the address"
    whose = f" has it, {owner} has" if owner and owner != call.host else " has it"
    return _finding(
        facts,
        call,
        "address-not-local",
        f"{address} is no address of {call.host}: none of its interfaces{whose}",
        "bind names the own end of the socket: bind 0.0.0.0 (all addresses of the host), or one of"
        " its own; the other end is connect's.",
    )


def _finding(facts: Facts, call: Call, rule: Rule, why: str, advice: str) -> Finding:
    wanted = endpoint(call)
    to = f" to {wanted}" if wanted else ""
    return Finding(
        rule=rule,
        level="error",
        host=call.host,
        time=call.start,
        key=(call.host, wanted),
        sentence=f"bind of {facts.who(call.host, call.pid)} on {call.host}{to} failed"
        f" {facts.at(call.start)} with {call.errno}: {why}",
        advice=advice,
        events=(call,),
        thing="attempt",
    )
