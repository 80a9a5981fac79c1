"""What the arguments of each call are decoded to: as for strace, see docs/events.md. Pure.

The trace has what the registers held, so what a call only points at is not there. `DECODERS`
says, of each call, which argument is the descriptor that it names first, and how to name those
that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from labctl.observe.tracefs import numbers, options
from labctl.sequence.events import Value

Args = dict[str, Value]
Values = Sequence[int]


def signed(value: int) -> int:
    """Return a C int from the register that holds it."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


_PROTOCOLS = {2: numbers.PROTOCOL, 10: numbers.PROTOCOL, 16: numbers.NETLINK}
"""By family: AF_INET, AF_INET6, AF_NETLINK."""


def _socket(v: Values) -> Args:
    protocol: Value = v[2]
    if v[0] in _PROTOCOLS:
        protocol = numbers.word(_PROTOCOLS[v[0]], v[2])
    return {
        "family": numbers.word(numbers.FAMILY, v[0]),
        "type": numbers.word(numbers.TYPE, v[1] & numbers.TYPE_MASK),
        "protocol": protocol,
        "flags": numbers.bits(numbers.TYPE_FLAGS, v[1] & ~numbers.TYPE_MASK),
    }


def _listen(v: Values) -> Args:
    return {"backlog": signed(v[1])}


def _accept4(v: Values) -> Args:
    return {"flags": numbers.bits(numbers.TYPE_FLAGS, v[3])}


def _buffer(v: Values) -> Args:
    return {"length": v[2]}


def _message(v: Values, flags: int, length: int | None = None) -> Args:
    told: Args = {} if length is None else {"length": v[length]}
    return {**told, "flags": numbers.bits(numbers.MESSAGE, v[flags] & 0xFFFFFFFF)}


def _sendfile(v: Values) -> Args:
    return {"from": signed(v[1]), "length": v[3]}


def _moved(v: Values, to: int, length: int) -> Args:
    flags = numbers.bits(numbers.SPLICE, v[length + 1])
    return {"to": signed(v[to]), "length": v[length], "flags": flags}


def _vmsplice(v: Values) -> Args:
    return {"flags": numbers.bits(numbers.SPLICE, v[3])}


def _shutdown(v: Values) -> Args:
    return {"how": numbers.word(numbers.HOW, v[1])}


def _option(v: Values) -> Args:
    level, option = options.names(v[1], v[2])
    return {"level": level, "option": option}


def _dup(v: Values) -> Args:
    told: Args = {"to": signed(v[1])}
    return {**told, "flags": numbers.bits(numbers.OPEN_FLAGS, v[2])} if len(v) > 2 else told


def _close_range(v: Values) -> Args:
    flags = numbers.bits(numbers.CLOSE_RANGE, v[2])
    return {"last": v[1] & 0xFFFFFFFF, "flags": flags}


_NUMBER = frozenset(["F_DUPFD", "F_DUPFD_CLOEXEC", "F_SETOWN", "F_SETPIPE_SZ"])


def _fcntl(v: Values) -> Args:
    """A pointer is left out."""
    command = numbers.word(numbers.FCNTL, v[1])
    told: Args = {"command": command}
    if command == "F_SETFD":
        told["argument"] = numbers.bits(numbers.DESCRIPTOR_FLAGS, v[2])
    elif command == "F_SETFL":
        access = numbers.ACCESS[min(v[2] & 3, 2)]
        told["argument"] = [access, *numbers.bits(numbers.OPEN_FLAGS, v[2] & ~3)]
    elif command in _NUMBER:
        told["argument"] = signed(v[2])
    return told


def _ioctl(v: Values) -> Args:
    return {"request": numbers.word(numbers.IOCTL, v[1])}


def _poll(v: Values) -> Args:
    return {"timeout_ms": signed(v[2])}


def _epoll_create(v: Values) -> Args:
    return {"flags": numbers.bits(numbers.EPOLL_FLAGS, v[0])}


def _epoll_ctl(v: Values) -> Args:
    return {"operation": numbers.word(numbers.EPOLL, v[1]), "descriptor": signed(v[2])}


def _epoll_wait(v: Values) -> Args:
    return {"timeout_ms": signed(v[3])}


def _clone(v: Values) -> Args:
    return clone_flags(v[0])


def clone_flags(value: int) -> Args:
    """Return the flags of clone(2), the signal at the child's end among them."""
    end = value & 0xFF
    flags = numbers.bits(numbers.CLONE, value & 0xFFFFFF00)
    return {"flags": [*flags, numbers.signal(end)] if end else flags}


def _wait4(v: Values) -> Args:
    return {"pid": signed(v[0]), "options": numbers.bits(numbers.WAIT, v[2] & 0xFFFFFFFF)}


def _waitid(v: Values) -> Args:
    idtype = numbers.word(numbers.WAIT_FOR, v[0])
    waited = numbers.bits(numbers.WAIT, v[3] & 0xFFFFFFFF)
    return {"idtype": idtype, "pid": signed(v[1]), "options": waited}


def _nothing(_: Values) -> Args:
    return {}


DECODERS: dict[str, tuple[bool, int, Callable[[Values], Args]]] = {
    "socket": (False, 3, _socket),
    "socketpair": (False, 3, _socket),
    "listen": (True, 2, _listen),
    "accept4": (True, 4, _accept4),
    "read": (True, 3, _buffer),
    "write": (True, 3, _buffer),
    "sendto": (True, 4, partial(_message, flags=3, length=2)),
    "recvfrom": (True, 4, partial(_message, flags=3, length=2)),
    "sendmsg": (True, 3, partial(_message, flags=2)),
    "recvmsg": (True, 3, partial(_message, flags=2)),
    "sendmmsg": (True, 4, partial(_message, flags=3)),
    "recvmmsg": (True, 4, partial(_message, flags=3)),
    "sendfile": (True, 4, _sendfile),
    "splice": (True, 6, partial(_moved, to=2, length=4)),
    "tee": (True, 4, partial(_moved, to=1, length=2)),
    "vmsplice": (True, 4, _vmsplice),
    "shutdown": (True, 2, _shutdown),
    "setsockopt": (True, 3, _option),
    "getsockopt": (True, 3, _option),
    "dup2": (True, 2, _dup),
    "dup3": (True, 3, _dup),
    "close_range": (True, 3, _close_range),
    "fcntl": (True, 3, _fcntl),
    "ioctl": (True, 2, _ioctl),
    "poll": (False, 3, _poll),
    "ppoll": (False, 0, _nothing),
    "select": (False, 0, _nothing),
    "pselect6": (False, 0, _nothing),
    "epoll_create": (False, 0, _nothing),
    "epoll_create1": (False, 1, _epoll_create),
    "epoll_ctl": (True, 3, _epoll_ctl),
    "epoll_wait": (True, 4, _epoll_wait),
    "epoll_pwait": (True, 4, _epoll_wait),
    "clone": (False, 1, _clone),
    "clone3": (False, 0, _nothing),
    "fork": (False, 0, _nothing),
    "vfork": (False, 0, _nothing),
    "execve": (False, 0, _nothing),
    "wait4": (False, 3, _wait4),
    "waitid": (False, 4, _waitid),
}
"""By call: whether its first argument is a descriptor, how many are needed, and how they are
decoded. Of a call that is not here the first argument is a descriptor."""


def decode(name: str, values: Values) -> tuple[int | None, Args]:
    """Return the descriptor that a call names first, and its other arguments."""
    first, needed, decoder = DECODERS.get(name, (True, 1, _nothing))
    if len(values) < needed:
        return None, {}
    fd = signed(values[0]) if first and values else None
    return (None if fd == _AT_FDCWD else fd), decoder(values)


_AT_FDCWD = -100
