"""Calls that move data: send(2), recv(2), read(2), write(2), sendfile(2), splice(2). Pure."""

from __future__ import annotations

from labctl.observe.strace.options import SHOWN
from labctl.observe.strace.plain import (
    Asked,
    before,
    flag_field,
    integer,
    known,
    milliseconds,
    numbers,
    structs,
    whole,
)
from labctl.observe.strace.sockets import Args, address
from labctl.observe.strace.values import Raw
from labctl.sequence.events import Value


def buffer(asked: Asked) -> Args:
    """Of read, write, send and recv: descriptor, buffer, length, flags."""
    return {**_data(asked.at(1), asked.at(2)), **flag_field(asked.at(3))}


def addressed(asked: Asked) -> Args:
    """Of sendto and recvfrom: their flags are followed by an address."""
    return {**buffer(asked), **address(asked.at(4))}


def vector(asked: Asked) -> Args:
    """Of readv and writev."""
    return _parts(asked.at(1))


def message(asked: Asked) -> Args:
    """Of sendmsg and recvmsg."""
    return {**_header(asked.at(1)), **flag_field(asked.at(2))}


def messages(asked: Asked) -> Args:
    """Of sendmmsg and recvmmsg; `moved` is how many bytes of each message were."""
    shown, listed = asked.at(1), list[Value]()
    for each in structs(shown):
        moved = integer(each.get("msg_len", "..."))
        listed.append({**_header(each.get("msg_hdr", "...")), **known(moved=moved)})
    args = known(messages=listed if isinstance(shown, list) else None)
    return {**args, **flag_field(asked.at(3)), **known(timeout_ms=milliseconds(asked.at(4)))}


def sendfile(asked: Asked) -> Args:
    offset = before(asked.at(2))
    if isinstance(offset, list) and len(offset) == 1:
        offset = before(offset[0])
    from_length = {"from": integer(asked.at(1)), "length": integer(asked.at(3))}
    return known(offset=integer(offset), **from_length)


def splice(asked: Asked) -> Args:
    return known(to=integer(asked.at(2)), length=integer(asked.at(4)), **flag_field(asked.at(5)))


def tee(asked: Asked) -> Args:
    return known(to=integer(asked.at(1)), length=integer(asked.at(2)), **flag_field(asked.at(3)))


def vmsplice(asked: Asked) -> Args:
    return {**_parts(asked.at(1)), **flag_field(asked.at(3))}


def _data(shown: Raw, length: Raw) -> Args:
    data = shown[:SHOWN].decode("latin-1") if isinstance(shown, bytes) else None
    return known(length=integer(length), data=data)


def _parts(raw: Raw) -> Args:
    """Return the buffers of a vector as one: their length, and the beginning of their data.

    The length is left out where strace does not show all parts; data stops at the first
    buffer of which strace shows a part only, as what follows would seem to be next to it.
    """
    data, open_ended, lengths = b"", False, []
    for part in structs(raw):
        shown, length = part.get("iov_base", part.get("0")), part.get("iov_len", part.get("1"))
        lengths.append(length)
        if isinstance(shown, bytes) and not open_ended:
            data += shown
            open_ended = isinstance(length, int) and len(shown) < length
    total = sum(length for length in lengths if isinstance(length, int))
    seen = any(isinstance(part.get("iov_base", part.get("0")), bytes) for part in structs(raw))
    return known(
        length=total if whole(raw) else None,
        data=data[:SHOWN].decode("latin-1") if seen else None,
    )


def _header(raw: Raw) -> Args:
    """Return a struct msghdr: its data, its address, and the descriptors it passes on."""
    if not isinstance(raw, dict):
        return {}
    passed: list[Value] = []
    for control in structs(raw.get("msg_control", "...")):
        if control.get("cmsg_type") == "SCM_RIGHTS":
            passed += numbers(control.get("cmsg_data", "..."))
    return {
        **_parts(raw.get("msg_iov", "...")),
        **address(raw.get("msg_name", "...")),
        **({"descriptors": passed} if passed else {}),
    }


DECODERS = {
    "read": buffer,
    "write": buffer,
    "send": buffer,
    "recv": buffer,
    "sendto": addressed,
    "recvfrom": addressed,
    "readv": vector,
    "writev": vector,
    "sendmsg": message,
    "recvmsg": message,
    "sendmmsg": messages,
    "recvmmsg": messages,
    "sendfile": sendfile,
    "sendfile64": sendfile,
    "splice": splice,
    "tee": tee,
    "vmsplice": vmsplice,
}
