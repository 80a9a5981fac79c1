"""Reads the decoded arguments of a call. What a tracer did not see is None or empty here."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.sequence.events import Call, Endpoint, Value

_MAPPED = "::ffff:"
"""Before an IPv4 address that a socket of IPv6 is told (RFC 4291, 2.5.5.2)."""

WILDCARDS = frozenset({"0.0.0.0", "::", "*"})


def plain(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint as it is on the wire: an IPv4-mapped address as the IPv4 address."""
    if endpoint.address.startswith(_MAPPED) and "." in endpoint.address:
        return Endpoint(endpoint.address[len(_MAPPED) :], endpoint.port)
    return endpoint


def endpoint(call: Call, name: str = "address") -> Endpoint | None:
    """Return the Internet address that a call names; of other families None."""
    return parsed(call.args.get(name))


def parsed(value: Value) -> Endpoint | None:
    """Return the Internet address that is shown as an argument; None of anything else."""
    if not isinstance(value, str):
        return None
    try:
        return plain(Endpoint.parse(value))
    except ValueError:
        return None


def word(call: Call, *names: str) -> str:
    """Return the first argument of these names that is a text."""
    for name in names:
        value = call.args.get(name)
        if isinstance(value, str):
            return value
    return ""


def words(call: Call, *names: str) -> frozenset[str]:
    """Return constants that are joined by `|`, or listed, under any of these names."""
    found: set[str] = set()
    for name in names:
        value = call.args.get(name)
        if isinstance(value, str):
            found.update(value.split("|"))
        elif isinstance(value, list):
            found.update(v for v in value if isinstance(v, str))
    return frozenset(found)


def number(call: Call, *names: str) -> int | None:
    """Return the first argument of these names that is a number."""
    for name in names:
        value = call.args.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def descriptors(call: Call, *names: str) -> tuple[int, ...]:
    """Return the descriptors listed under these names, as numbers or as `fd` of objects."""
    found = []
    for name in names:
        value = call.args.get(name)
        for item in value if isinstance(value, list) else ():
            fd = _descriptor(item)
            if fd is not None:
                found.append(fd)
    return tuple(found)


def _descriptor(item: Value) -> int | None:
    if isinstance(item, Mapping):
        item = item.get("fd")
    return item if isinstance(item, int) and not isinstance(item, bool) else None
