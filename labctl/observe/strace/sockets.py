"""Calls that make, name and set up sockets (socket(2), ip(7), unix(7), netlink(7)). Pure."""

from __future__ import annotations

from labctl.observe.strace.plain import (
    Asked,
    before,
    flag_field,
    flags,
    integer,
    known,
    numbers,
    plain,
    text,
    within,
    word,
)
from labctl.observe.strace.values import Applied, Raw, Words
from labctl.sequence.events import Endpoint, Value

Args = dict[str, Value]

MAPPED = "::ffff:"
"""Before an IPv4 address that a socket of IPv6 uses (RFC 4291, 2.5.5.2)."""


def address(raw: Raw) -> Args:
    """Return a struct sockaddr as `address`; of others than IPv4 and IPv6 its `family` too."""
    raw = before(raw)
    if not isinstance(raw, dict):
        return {}
    family = raw.get("sa_family", raw.get("0"))
    if family == "AF_INET":
        return _endpoint(raw, "sin_port", plain(raw.get("sin_addr", "...")))
    if family == "AF_INET6":
        return _endpoint(raw, "sin6_port", _ipv6(raw))
    if not isinstance(family, str):
        return {}
    if family == "AF_UNIX":
        return {"address": _path(raw.get("sun_path", b"")), "family": family}
    fields = (f"{name}={plain(v)}" for name, v in raw.items() if name.startswith("nl_"))
    return {"address": " ".join([family, *fields]), "family": family}


def _endpoint(raw: dict[str, Raw], port_field: str, host: Value) -> Args:
    port = plain(raw.get(port_field, "..."))
    if not isinstance(port, int) or not isinstance(host, str):
        return {}
    return {"address": str(Endpoint(host, port))}


def _ipv6(raw: dict[str, Raw]) -> Value:
    """Return the address; one that stands for an IPv4 address as that, as on the wire."""
    made = raw.get("inet_pton")
    if isinstance(made, Applied) and len(made.arguments) > 1:
        shown = made.arguments[1]
        if isinstance(shown, bytes):
            name = text(shown)
            return name.removeprefix(MAPPED) if "." in name else name
    return None


def _path(raw: Raw) -> str:
    """Return a path, one of the abstract namespace with `@` before it."""
    if isinstance(raw, Words):
        return "".join(text(t) if isinstance(t, bytes) else str(t) for t in raw.terms)
    return text(raw) if isinstance(raw, bytes) else ""


def socket(asked: Asked) -> Args:
    kind, *others = flags(asked.at(1)) or [None]
    return known(
        family=word(asked.at(0)), type=kind, protocol=_protocol(asked.at(2)), flags=[*others]
    )


def _protocol(raw: Raw) -> Value:
    return raw if isinstance(raw, int) else word(raw)


def socketpair(asked: Asked) -> Args:
    pair = numbers(asked.at(3))
    return {**socket(asked), **({"descriptors": [*pair]} if pair else {})}


def named(asked: Asked) -> Args:
    """Of bind, connect, getsockname, getpeername."""
    return address(asked.at(1))


def accept(asked: Asked) -> Args:
    return address(asked.at(1))


def accept4(asked: Asked) -> Args:
    return {**address(asked.at(1)), **flag_field(asked.at(3))}


def listen(asked: Asked) -> Args:
    return known(backlog=integer(asked.at(1)))


def shutdown(asked: Asked) -> Args:
    return known(how=word(asked.at(1)))


def option(asked: Asked) -> Args:
    """Of setsockopt and getsockopt. A value that strace does not decode is latin-1 text."""
    raw = within(asked.at(3))
    args = known(level=word(asked.at(1)), option=word(asked.at(2)))
    if raw != "...":
        args["value"] = raw.decode("latin-1") if isinstance(raw, bytes) else plain(raw)
    return args


DECODERS = {
    "socket": socket,
    "socketpair": socketpair,
    "bind": named,
    "connect": named,
    "getsockname": named,
    "getpeername": named,
    "accept": accept,
    "accept4": accept4,
    "listen": listen,
    "shutdown": shutdown,
    "setsockopt": option,
    "getsockopt": option,
}
