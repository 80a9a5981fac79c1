"""Calls that wait for descriptors, and those on one: poll(2), epoll(7), fcntl(2). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from labctl.observe.strace.plain import (
    Asked,
    flag_field,
    flags,
    integer,
    known,
    milliseconds,
    numbers,
    plain,
    structs,
    within,
    word,
)
from labctl.observe.strace.sockets import Args
from labctl.observe.strace.values import Raw, Unreadable, Words, arguments
from labctl.sequence.events import Value


def poll(asked: Asked) -> Args:
    return {**_polled(asked), **known(timeout_ms=integer(asked.at(2)))}


def ppoll(asked: Asked) -> Args:
    return {**_polled(asked), **known(timeout_ms=milliseconds(asked.at(2)))}


def _polled(asked: Asked) -> Args:
    polled, args = asked.at(0), Args()
    if isinstance(polled, list):
        args["descriptors"] = _events(structs(polled), "events")
    if ready := [item for raw in _remark(asked) for item in structs(raw)]:
        args["ready"] = _events(ready, "revents")
    return args


def _events(polled: Iterable[dict[str, Raw]], field: str) -> dict[str, Value]:
    """Return events by descriptor; a descriptor below 0 is passed over, as by the kernel."""
    found: dict[str, Value] = {}
    for each in polled:
        fd = each.get("fd")
        if isinstance(fd, int) and fd >= 0:
            found[str(fd)] = flags(each.get(field, "..."))
    return found


_SETS = ("read", "write", "except")


def select(asked: Asked) -> Args:
    """Of select and pselect6; `ready` has the sets that are not empty."""
    args: Args = {
        name: numbers(asked.at(place))
        for place, name in enumerate(_SETS, 1)
        if asked.at(place) not in ("NULL", "...")
    }
    names = dict(zip(("in", "out", "except"), _SETS, strict=True))
    ready: dict[str, Value] = {}
    for raw in _remark(asked):
        if isinstance(raw, Words) and len(raw.terms) == 2 and raw.terms[0] in names:
            ready[names[str(raw.terms[0])]] = numbers(raw.terms[1])
    if ready:
        args["ready"] = ready
    return {**args, **known(timeout_ms=milliseconds(asked.at(4)))}


def _remark(asked: Asked) -> list[Raw]:
    if "[" not in asked.remark:
        return []
    try:
        return arguments(asked.remark)[0]
    except Unreadable:
        return []


def epoll_create(asked: Asked) -> Args:
    return flag_field(asked.at(0))


def epoll_ctl(asked: Asked) -> Args:
    args = known(operation=word(asked.at(1)), descriptor=integer(asked.at(2)))
    event = asked.at(3)
    return {**args, **_event(event)} if isinstance(event, dict) else args


def epoll_wait(asked: Asked) -> Args:
    shown, limit = asked.at(1), asked.at(3)
    events: list[Value] | None = None
    if isinstance(shown, list):
        events = [_event(event) for event in structs(shown)]
    limit_ms = limit if isinstance(limit, int) else milliseconds(limit)
    return known(events=events, timeout_ms=limit_ms)


def _event(raw: dict[str, Raw]) -> Args:
    """Return a struct epoll_event; `data` is what the program has the kernel give back."""
    data = raw.get("data", raw.get("1", "..."))
    if isinstance(data, dict):
        data = data.get("u64", "...")
    return {"events": flags(raw.get("events", raw.get("0", "..."))), **known(data=integer(data))}


def fcntl(asked: Asked) -> Args:
    """Of fcntl; `flags` are those that F_GETFL, F_GETFD have returned."""
    command, argument = word(asked.at(1)), asked.at(2)
    args = known(command=command)
    if argument != "...":
        as_flags = command in ("F_SETFL", "F_SETFD")
        args["argument"] = flags(argument) if as_flags else plain(argument)
    if asked.remark.startswith("flags "):
        args["flags"] = flags(asked.remark.removeprefix("flags "))
    return args


def ioctl(asked: Asked) -> Args:
    """Of ioctl; `argument` where it is a number that is pointed at (FIONBIO, FIONREAD)."""
    pointed = asked.at(2)
    argument = integer(within(pointed)) if isinstance(pointed, list) else None
    return known(request=word(asked.at(1)) or str(plain(asked.at(1))), argument=argument)


def dup(asked: Asked) -> Args:
    return known(to=integer(asked.at(1)), **flag_field(asked.at(2)))


def close_range(asked: Asked) -> Args:
    last = 0xFFFFFFFF if asked.at(1) == "~0U" else integer(asked.at(1))
    return known(last=last, **flag_field(asked.at(2)))


DECODERS = {
    "poll": poll,
    "ppoll": ppoll,
    "select": select,
    "pselect6": select,
    "epoll_create1": epoll_create,
    "epoll_ctl": epoll_ctl,
    "epoll_wait": epoll_wait,
    "epoll_pwait": epoll_wait,
    "epoll_pwait2": epoll_wait,
    "fcntl": fcntl,
    "fcntl64": fcntl,
    "ioctl": ioctl,
    "dup2": dup,
    "dup3": dup,
    "close_range": close_range,
}
