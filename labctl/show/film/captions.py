"""What is said of a frame: the call that led to it, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.observe.sockets.changes import Change
from labctl.observe.sockets.model import Descriptor, KernelSocket, SocketAddress
from labctl.observe.steps import words
from labctl.observe.steps.model import Frame
from labctl.observe.tracefs import numbers
from labctl.show.sockets.canvas import clean
from labctl.show.sockets.words import count

_QUEUES = {"receive_queue": "receive queue", "send_queue": "send queue"}


def heading(frame: Frame) -> str:
    """Return the call with its arguments and result, as strace(1) writes it."""
    if frame.event == "ended":
        return f"process {frame.pid} {_how(frame.status or 0)}"
    assert frame.call is not None
    if frame.event == "exec":
        process = frame.process
        path = words.quoted(frame.call.memory.get("path", b"").partition(b"\0")[0])
        argv = ", ".join(f'"{clean(word)}"' for word in (process.command if process else ()))
        return f"{frame.call.name}({path}, [{argv}], ...) = 0"
    text = words.text(frame.call)
    if frame.event == "waits":
        return f"{text}   waits: it has not returned yet"
    if frame.times > 1:
        moved = f", {count(frame.moved, 'byte')} in all" if frame.moved else ""
        return f"{text}   × {frame.times:,}{moved}"
    return text


def who(frame: Frame) -> str:
    """Return which process a frame is of."""
    process = frame.process
    name = f": {clean(process.name)}" if process else ""
    return f"process {frame.pid}{name}"


def _how(status: int) -> str:
    if status < 0:
        return f"was ended by {numbers.signal(-status)}"
    return f"has ended with exit code {status}"


def changed(frame: Frame) -> list[str]:
    """Return what is other than in the host's frame before, one phrase each."""
    new = {one.where[0] for one in frame.changes if one.what == "process" and one.old is None}
    gone = {one.where[0] for one in frame.changes if one.what == "process" and one.new is None}
    phrases = [phrase for one in frame.changes for phrase in _phrases(frame, one, new | gone)]
    return _gathered(phrases)


def _gathered(phrases: list[str]) -> list[str]:
    """Join what is said of the same socket, one after the other."""
    found: list[str] = []
    for phrase in phrases:
        subject, colon, said = phrase.partition(": ")
        if colon and found and found[-1].startswith(f"{subject}: "):
            found[-1] += f", {said}"
        else:
            found.append(phrase)
    return found


def _phrases(frame: Frame, one: Change, other: set[int | str]) -> Iterator[str]:
    """Yield what a change means; of a process that came or went its table is no further one."""
    if one.what == "process":
        if one.old is None:
            yield f"process {one.where[0]} is new{_copied(frame, one.where[0])}"
        elif one.new is None:
            yield f"process {one.where[0]} is gone"
        elif one.new[-1] and not one.old[-1]:
            yield f"process {one.where[0]} has ended, and its table with it"
    elif one.what == "descriptor":
        if one.where[0] not in other:
            yield from _descriptor(frame, one)
    elif one.field is None:
        yield _came(one.new) if one.old is None else f"{_named(one.old)} is gone"
    else:
        yield from _field(frame, one)


def _copied(frame: Frame, pid: int | str) -> str:
    """Return which of its sockets a new process has in common with others."""
    shared = [
        str(fd)
        for inode, holders in frame.snapshot.holders.items()
        for holder, fd in holders
        if holder == pid and any(other != pid for other, _ in frame.snapshot.holders[inode])
    ]
    if not shared:
        return ""
    return f"; its {'descriptor' if len(shared) == 1 else 'descriptors'} {', '.join(shared)} " + (
        "stands for the same socket as its parent's"
        if len(shared) == 1
        else "stand for the same sockets as its parent's"
    )


def _descriptor(frame: Frame, one: Change) -> Iterator[str]:
    old: Descriptor | None = one.old
    new: Descriptor | None = one.new
    if new is None:
        if old is not None and old.kind == "socket":
            yield f"descriptor {one.where[1]} is free again"
        return
    if new.kind != "socket" or new.inode is None:
        return
    if old is None or old.inode != new.inode:
        others = [fd for _, fd in frame.snapshot.holders[new.inode] if fd != new.fd]
        too = f", as {others[0]} does" if others else ""
        yield f"descriptor {new.fd} stands for socket {new.inode}{too}"
    elif old.nonblocking != new.nonblocking:
        yield f"descriptor {new.fd} is {'O_NONBLOCK' if new.nonblocking else 'blocking again'}"
    elif old.close_on_exec != new.close_on_exec:
        yield f"descriptor {new.fd} is {'CLOEXEC' if new.close_on_exec else 'kept over exec'}"


def _came(one: KernelSocket) -> str:
    filled = [_end(end) for end in (one.local, one.remote)]
    if not any(filled):
        return f"{_named(one)} is new, its addresses and ports are empty"
    ends = " → ".join(end or "—" for end in filled)
    return f"{_named(one)} is new, with {ends}"


def _field(frame: Frame, one: Change) -> Iterator[str]:
    named = _of_key(frame, str(one.where[0]))
    if one.field in ("local", "remote"):
        yield f"{named}: {one.field} {_end(one.new) or 'address and port are empty again'}"
    elif one.field == "inode" and one.new == 0:
        yield f"socket {one.old} belongs to no process any more"
    elif one.field == "inode":
        yield f"the connection that waited for accept is socket {one.new}"
    elif one.field == "state":
        yield f"{named}: {one.old or '—'} → {one.new or '—'}"
    elif one.field == "options" and one.new is not None:
        yield f"{named}: options {' '.join(one.new) or '—'}"
    elif one.field == "accept_queue" and None not in (one.old, one.new):
        yield f"{named}: accept queue {one.old} → {one.new}"
    elif one.field in _QUEUES and None not in (one.old, one.new):
        yield f"{named}: {_QUEUES[one.field]} {one.old:,} → {count(one.new, 'byte')}"


def _of_key(frame: Frame, key: str) -> str:
    return next((_named(one) for one in frame.snapshot.sockets if one.key == key), "a socket")


def _named(one: KernelSocket) -> str:
    return f"socket {one.inode}" if one.inode else "the connection"


def _end(one: SocketAddress) -> str:
    if one.port is None:
        return clean(one.address or "")
    return f"{one.address or '—'} port {one.port}"
