"""How a call is written: as strace(1) does, from the registers and what was read of memory."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping

from labctl.observe.steps.model import StepCall
from labctl.observe.tracefs import numbers, options
from labctl.observe.tracefs.decode import signed

_FAMILY = struct.Struct("=H")
_RESTARTS = range(-516, -511)


def text(call: StepCall) -> str:
    """Return a call with its arguments, and what came of it: `bind(3, ...) = 0`."""
    return f"{call.name}({', '.join(arguments(call))}){_outcome(call)}"


def arguments(call: StepCall) -> list[str]:
    """Return the arguments of a call, each as strace(1) writes it."""
    write = _WRITERS.get(call.name)
    return write(call) if write else [str(signed(call.arguments[0]))]


def error(call: StepCall) -> str | None:
    """Return the name of a call's errno; None where it did not fail, or has not returned."""
    if call.result is None or call.result >= 0 or call.result in _RESTARTS:
        return None
    return numbers.error(-call.result)


def _outcome(call: StepCall) -> str:
    if call.result is None:
        return ""
    if call.result in _RESTARTS:
        return ", interrupted by a signal"
    return f" = {call.result}" if call.result >= 0 else f" = -1 {error(call)}"


def address(block: bytes) -> str:
    """Return a struct sockaddr as strace(1) writes it; one that is cut by its family only."""
    if len(block) < _FAMILY.size:
        return "NULL"
    (family,) = _FAMILY.unpack_from(block)
    name = numbers.word(numbers.FAMILY, family)
    if family == socket.AF_INET and len(block) >= 8:
        (port,), ip = struct.unpack_from(">H", block, 2), socket.inet_ntoa(block[4:8])
        return f'{{sa_family={name}, sin_port=htons({port}), sin_addr=inet_addr("{ip}")}}'
    if family == socket.AF_INET6 and len(block) >= 24:
        port, _, raw = struct.unpack_from(">HI16s", block, 2)
        ip = socket.inet_ntop(socket.AF_INET6, raw)
        return f'{{sa_family={name}, sin6_port=htons({port}), sin6_addr="{ip}"}}'
    if family == socket.AF_UNIX:
        path = block[2:]
        path = b"@" + path[1:] if path[:1] == b"\0" else path.partition(b"\0")[0]
        return f"{{sa_family={name}, sun_path={quoted(path)}}}"
    return f"{{sa_family={name}}}"


def endpoint(call: StepCall) -> tuple[str, int] | None:
    """Return the IPv4 address and port that a call names, None where it names none."""
    block = call.memory.get("address", b"")
    if len(block) < 8 or _FAMILY.unpack_from(block)[0] != socket.AF_INET:
        return None
    return socket.inet_ntoa(block[4:8]), int(struct.unpack_from(">H", block, 2)[0])


def quoted(block: bytes, whole: int | None = None) -> str:
    """Return bytes as a C string, with an ellipsis where they are not the whole."""
    escapes = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
    shown = "".join(
        escapes.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in block
    )
    return f'"{shown}"' + ("..." if whole is not None and whole > len(block) else "")


def _bits(names: Mapping[int, str], number: int) -> str:
    return "|".join(map(str, numbers.bits(names, number))) or "0"


def _fd(call: StepCall, at: int = 0) -> str:
    return str(signed(call.arguments[at]))


def _socket(call: StepCall) -> list[str]:
    family, kind, protocol = (signed(one) for one in call.arguments[:3])
    flags = numbers.bits(numbers.TYPE_FLAGS, kind & ~numbers.TYPE_MASK)
    type_ = numbers.word(numbers.TYPE, kind & numbers.TYPE_MASK)
    internet = family in (socket.AF_INET, socket.AF_INET6)
    return [
        numbers.word(numbers.FAMILY, family),
        "|".join([type_, *map(str, flags)]),
        numbers.word(numbers.PROTOCOL, protocol) if internet else str(protocol),
    ]


def _named(call: StepCall) -> list[str]:
    told = address(call.memory.get("address", b""))
    return [_fd(call), told, str(call.arguments[2] & 0xFFFFFFFF)]


def _accept(call: StepCall) -> list[str]:
    block = call.memory.get("address", b"")
    peer = [address(block), f"[{len(block)}]"] if block else ["NULL", "NULL"]
    if call.arguments[1] and not block:
        peer = ["...", "..."]
    flags = [] if call.name == "accept" else [_bits(numbers.TYPE_FLAGS, call.arguments[3])]
    return [_fd(call), *peer, *flags]


def _data(call: StepCall) -> str:
    """Return the data of a call; of one that has not received any yet, three dots."""
    receives = call.name in ("read", "recvfrom")
    if receives and (call.result is None or call.result < 0):
        return "..."
    whole = call.result if receives else call.arguments[2]
    return quoted(call.memory.get("data", b""), whole)


def _message(call: StepCall) -> list[str]:
    told = [_fd(call), _data(call), str(call.arguments[2])]
    if call.name in ("read", "write"):
        return told
    told.append(_bits(numbers.MESSAGE, call.arguments[3] & 0xFFFFFFFF))
    block = call.memory.get("address", b"")
    if block:
        return [*told, address(block), str(len(block))]
    return [*told, "NULL", "0" if call.name == "sendto" else "NULL"]


def _flagged(call: StepCall) -> list[str]:
    return [_fd(call), "...", _bits(numbers.MESSAGE, call.arguments[2] & 0xFFFFFFFF)]


def _option(call: StepCall) -> list[str]:
    level, option = options.names(call.arguments[1], call.arguments[2])
    value = call.memory.get("value", b"")
    return [_fd(call), level, option, _value(option, value), str(call.arguments[4] & 0xFFFFFFFF)]


def _value(option: str, value: bytes) -> str:
    """Return the value of an option by its type: a number, or a structure (socket(7))."""
    if len(value) == 4:
        return f"[{struct.unpack('=i', value)[0]}]"
    if "TIMEO" in option and len(value) == 16:
        seconds, rest = struct.unpack("=qq", value)
        return f"{{tv_sec={seconds}, tv_usec={rest}}}"
    if option == "SO_LINGER" and len(value) == 8:
        on, linger = struct.unpack("=ii", value)
        return f"{{l_onoff={on}, l_linger={linger}}}"
    return quoted(value)


def _shutdown(call: StepCall) -> list[str]:
    return [_fd(call), numbers.word(numbers.HOW, call.arguments[1])]


def _two(call: StepCall) -> list[str]:
    return [_fd(call), _fd(call, 1)]


def _dup3(call: StepCall) -> list[str]:
    return [*_two(call), _bits(numbers.OPEN_FLAGS, call.arguments[2])]


def _close_range(call: StepCall) -> list[str]:
    first, last, flags = (one & 0xFFFFFFFF for one in call.arguments[:3])
    return [str(first), str(last), _bits(numbers.CLOSE_RANGE, flags)]


def _fcntl(call: StepCall) -> list[str]:
    command = numbers.word(numbers.FCNTL, call.arguments[1] & 0xFFFFFFFF)
    value = call.arguments[2]
    if command == "F_SETFD":
        told = _bits(numbers.DESCRIPTOR_FLAGS, value)
    elif command == "F_SETFL":
        flags = map(str, numbers.bits(numbers.OPEN_FLAGS, value & ~3))
        told = "|".join([numbers.ACCESS[min(value & 3, 2)], *flags])
    else:
        told = str(signed(value))
    return [_fd(call), command, told]


def _ioctl(call: StepCall) -> list[str]:
    value = call.memory.get("value", b"")
    request = numbers.word(numbers.IOCTL, call.arguments[1] & 0xFFFFFFFF)
    return [
        _fd(call),
        request,
        *([f"[{struct.unpack('=i', value)[0]}]"] if len(value) == 4 else []),
    ]


def _moved(call: StepCall) -> list[str]:
    return [_fd(call), _fd(call, 1), "...", str(call.arguments[3])]


def _splice(call: StepCall) -> list[str]:
    flags = _bits(numbers.SPLICE, call.arguments[5])
    return [_fd(call), "...", _fd(call, 2), "...", str(call.arguments[4]), flags]


def _clone(call: StepCall) -> list[str]:
    flags = call.arguments[0]
    if call.name == "clone3":
        flags = int.from_bytes(call.memory.get("flags", b""), "little")
    end = [numbers.signal(flags & 0xFF)] if flags & 0xFF else []
    named = [*map(str, numbers.bits(numbers.CLONE, flags & 0xFFFFFF00)), *end]
    return [f"flags={'|'.join(named) or 0}"]


def _nothing(_: StepCall) -> list[str]:
    return []


_WRITERS: dict[str, Callable[[StepCall], list[str]]] = {
    "socket": _socket,
    "socketpair": _socket,
    "bind": _named,
    "connect": _named,
    "listen": _two,
    "accept": _accept,
    "accept4": _accept,
    "sendto": _message,
    "recvfrom": _message,
    "read": _message,
    "write": _message,
    "sendmsg": _flagged,
    "recvmsg": _flagged,
    "setsockopt": _option,
    "shutdown": _shutdown,
    "dup2": _two,
    "dup3": _dup3,
    "close_range": _close_range,
    "fcntl": _fcntl,
    "ioctl": _ioctl,
    "sendfile": _moved,
    "splice": _splice,
    "clone": _clone,
    "clone3": _clone,
    "fork": _nothing,
    "vfork": _nothing,
}
"""Of a call that is not here only the descriptor is written."""
