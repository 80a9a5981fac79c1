"""What each call changes in a descriptor table, at its entry and at its return."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from labctl.sequence import arguments
from labctl.sequence.descriptor_table import Kernel, Table
from labctl.sequence.events import Call
from labctl.sequence.verbs import verb

if TYPE_CHECKING:
    from labctl.sequence.descriptors import Rebuild


class Step(NamedTuple):
    """A call, its number, and what it works on: its process's table, and all the rest."""

    on: Rebuild
    table: Table
    number: int
    call: Call

    def give(self, socket: Kernel) -> None:
        """Note that the call returned a descriptor of a socket."""
        flags = arguments.words(self.call, "flags")
        if self.call.result is not None:
            cloexec = "SOCK_CLOEXEC" in flags or "O_CLOEXEC" in flags
            self.on.give(self.call.result, socket, self.call, cloexec)


Work = Callable[[Step], None]


class Change(NamedTuple):
    enter: Work | None = None
    leave: Work | None = None


_UNSHARE = "CLOSE_RANGE_UNSHARE"


def _socket(at: Step) -> None:
    made = at.on.make(
        at.call.host,
        arguments.word(at.call, "family"),
        arguments.word(at.call, "type"),
        at.call.end,
    )
    at.give(made)
    at.on.socket_of[at.number] = made


def _socketpair(at: Step) -> None:
    cloexec = "SOCK_CLOEXEC" in arguments.words(at.call, "flags")
    family, kind = arguments.word(at.call, "family"), arguments.word(at.call, "type")
    ends = [at.on.make(at.call.host, family, kind, at.call.end) for _ in range(2)]
    ends[0].peer, ends[1].peer = ends[1], ends[0]
    for fd, end in zip(arguments.descriptors(at.call, "descriptors"), ends, strict=False):
        at.on.give(fd, end, at.call, cloexec)
    at.on.socket_of[at.number] = ends[0]
    at.on.named[at.number] = tuple(ends)


def _accept(at: Step) -> None:
    listener = at.on.socket_of.get(at.number)
    family, kind = (listener.family, listener.type) if listener else ("", "SOCK_STREAM")
    made = at.on.make(at.call.host, family, kind, at.call.end)
    made.listener = listener
    at.give(made)
    at.on.socket_of[at.number] = made


def _hold(at: Step, sockets: list[Kernel | None]) -> None:
    """Keep sockets from being released while a call is at work on them."""
    if at.call.end is not None and not at.call.failed:
        at.on.held[at.number] = [s for s in sockets if s is not None]
        for socket in at.on.held[at.number]:
            socket.references += 1


def _release_held(at: Step) -> list[Kernel]:
    held = at.on.held.pop(at.number, [])
    for socket in held:
        socket.references -= 1
    return held


def _dup_enter(at: Step) -> None:
    _hold(at, [at.on.socket_of.get(at.number)])
    if at.call.name != "dup" and not at.call.failed and at.call.result not in (None, at.call.fd):
        at.on.free(at.table, at.call.result or 0, at.call)


def _dup_leave(at: Step) -> None:
    if at.call.result is None or (at.call.name != "dup" and at.call.result == at.call.fd):
        _release_held(at)
        return
    for socket in _release_held(at):
        at.give(socket)


def _fcntl_enter(at: Step) -> None:
    command = arguments.word(at.call, "command")
    entry = at.table.entries.get(at.call.fd if at.call.fd is not None else -1)
    if command.startswith("F_DUPFD"):
        _hold(at, [at.on.socket_of.get(at.number)])
    elif command == "F_SETFD" and entry is not None and not at.call.failed:
        value = arguments.number(at.call, "argument")
        entry.cloexec = value == 1 or "FD_CLOEXEC" in arguments.words(at.call, "argument")


def _fcntl_leave(at: Step) -> None:
    cloexec = arguments.word(at.call, "command") == "F_DUPFD_CLOEXEC"
    for socket in _release_held(at):
        if at.call.result is not None:
            at.on.give(at.call.result, socket, at.call, cloexec)


def _ioctl(at: Step) -> None:
    entry = at.table.entries.get(at.call.fd if at.call.fd is not None else -1)
    request = arguments.word(at.call, "request")
    if entry is not None and request in ("FIOCLEX", "FIONCLEX"):
        entry.cloexec = request == "FIOCLEX"


def _close(at: Step) -> None:
    if at.call.name == "close_range":
        _close_range(at)
        return
    at.on.socket_of.pop(at.number, None)
    if at.call.fd is None:
        return
    socket, released = at.on.free(at.table, at.call.fd, at.call)
    if socket is not None:
        at.on.socket_of[at.number] = socket
        if released:
            at.on.last.add(at.number)


def _close_range(at: Step) -> None:
    at.on.socket_of.pop(at.number, None)
    first, flags = at.call.fd, arguments.words(at.call, "flags")
    if at.call.failed or first is None:
        return
    last = arguments.number(at.call, "last")
    table = at.on.unshare(at.call.host, at.call.pid) if _UNSHARE in flags else at.table
    inside = [fd for fd in table.entries if first <= fd and (last is None or fd <= last)]
    if "CLOSE_RANGE_CLOEXEC" in flags:
        for fd in inside:
            table.entries[fd].cloexec = True
        return
    freed = [at.on.free(table, fd, at.call) for fd in inside]
    at.on.named[at.number] = tuple(socket for socket, _ in freed if socket is not None)
    if len(freed) == 1 and freed[0][0] is not None:
        at.on.socket_of[at.number] = freed[0][0]
        if freed[0][1]:
            at.on.last.add(at.number)


def _exec(at: Step) -> None:
    if at.call.result == 0:
        end = at.call.end if at.call.end is not None else at.call.start
        at.on.execute(at.call.host, at.call.pid, end)


def _send(at: Step) -> None:
    """Of sendmsg: descriptors in the message (SCM_RIGHTS in unix(7)); of splice, its output."""
    passed = arguments.descriptors(at.call, "descriptors")
    if passed and not at.call.failed and at.call.result is not None:
        sockets = [at.table.find(fd, at.call.start) for fd in passed]
        for socket in sockets:
            if socket is not None:
                socket.references += 1
        way = at.on.on_the_way.setdefault((at.call.host, len(passed)), [])
        way.append((at.on.socket_of.get(at.number), sockets))


def _recv(at: Step) -> None:
    """Of recvmsg: descriptors that came in the message."""
    given = arguments.descriptors(at.call, "descriptors")
    if not given:
        return
    sockets = _arrived(at, len(given))
    cloexec = "MSG_CMSG_CLOEXEC" in arguments.words(at.call, "flags")
    for fd, socket in zip(given, sockets, strict=False):
        if socket is not None:
            at.on.give(fd, socket, at.call, cloexec)
            socket.references -= 1


def _arrived(at: Step, count: int) -> list[Kernel | None]:
    """Return what is behind descriptors that came in a message; nothing where that is unsure."""
    way = at.on.on_the_way.get((at.call.host, count), [])
    receiver = at.on.socket_of.get(at.number)
    senders = [sender for sender, _ in way]
    if receiver is not None and receiver.peer is not None:
        places = [i for i, sender in enumerate(senders) if sender is receiver.peer]
    else:
        places = [i for i, sender in enumerate(senders) if not (sender and sender.peer)]
        if len({id(senders[i]) for i in places}) > 1:
            return []
    return way.pop(places[0])[1] if places else []


def _splice(at: Step) -> None:
    to = arguments.number(at.call, "to")
    target = None if to is None else at.table.find(to, at.call.start)
    if target is not None:
        at.on.named[at.number] = (target,)
        at.on.socket_of.setdefault(at.number, target)


def _poll(at: Step) -> None:
    named = set(arguments.descriptors(at.call, "read", "write", "except"))
    listed = at.call.args.get("descriptors")
    if isinstance(listed, dict):
        named.update(int(fd) for fd in listed if fd.isdecimal())
    found = (at.table.find(fd, at.call.start) for fd in sorted(named))
    at.on.named[at.number] = tuple(socket for socket in found if socket is not None)


def _epoll(at: Step) -> None:
    """Of epoll_ctl: remember what the kernel gives back for it; of epoll_wait, look it up."""
    if at.call.name.startswith("epoll_create"):
        at.table.watched.pop(at.call.result or 0, None)
        at.table.entries.pop(at.call.result or 0, None)
        return
    watched = at.table.watched.setdefault(at.call.fd or 0, {})
    fd, data = arguments.number(at.call, "descriptor"), arguments.number(at.call, "data")
    if fd is not None:
        socket = at.table.find(fd, at.call.start)
        if socket is not None:
            at.on.named[at.number] = (socket,)
            watched[fd if data is None else data] = socket
        return
    events = at.call.args.get("events")
    found = []
    for event in events if isinstance(events, list) else ():
        key = event.get("data") if isinstance(event, dict) else None
        if isinstance(key, int) and key in watched:
            found.append(watched[key])
    at.on.named[at.number] = tuple(found)


CHANGES: dict[str, Change] = {
    "socket": Change(leave=_socket),
    "socketpair": Change(leave=_socketpair),
    "accept": Change(leave=_accept),
    "dup": Change(_dup_enter, _dup_leave),
    "fcntl": Change(_fcntl_enter, _fcntl_leave),
    "ioctl": Change(_ioctl),
    "close": Change(_close),
    "exec": Change(_exec),
    "send": Change(_send),
    "recv": Change(leave=_recv),
    "splice": Change(_splice),
    "poll": Change(_poll),
    "epoll": Change(leave=_epoll),
}
"""By verb."""


def change_of(call: Call) -> Change | None:
    return CHANGES.get(verb(call.name))
