"""What is written in the boxes: the fields of a socket, and the entries of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labctl.observe.sockets.model import Descriptor, KernelSocket, Process, Snapshot, TcpInfo, Timer
from labctl.show.sockets.canvas import clean

BLANK = "—"
"""What stands in an empty field."""

_STANDARD = {0: "standard input", 1: "standard output", 2: "standard error"}
_STATES = {"LISTEN": "cyan", "ESTABLISHED": "green", "CONNECTED": "green"}
_WORDS = {"0.0.0.0": "0.0.0.0 (any)", "::": ":: (any)"}


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a socket's box; `of` are the fields of KernelSocket that it shows."""

    label: str
    value: str
    of: tuple[str, ...]
    style: str = ""


def count(number: int, what: str) -> str:
    """Return a number of things: `1 byte`, `2,000 bytes`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def title(one: KernelSocket) -> str:
    return f"socket {one.inode}" if one.inode else "socket"


def structure(one: KernelSocket) -> list[Field]:
    """Return the fields that figure 6-28 has."""
    if one.family == "AF_UNIX":
        return [*_kind(one), _field("path", one.local.address, "local")]
    return [
        *_kind(one),
        _field("local address", one.local.address, "local"),
        _field("local port", one.local.port, "local"),
        _field("remote address", one.remote.address, "remote"),
        _field("remote port", one.remote.port, "remote"),
    ]


def _kind(one: KernelSocket) -> list[Field]:
    family = one.family.replace("AF_", "PF_", 1)
    return [_field("family", family, "family"), _field("type", one.type, "type")]


def rest(one: KernelSocket, snapshot: Snapshot) -> Iterator[Field]:
    """Yield what the kernel tells beyond the figure; what does not apply is left out."""
    if one.peer is not None:
        yield Field("other end", _peer(one.peer, snapshot), ("peer",))
    if one.state:
        yield Field("state", one.state, ("state",), _STATES.get(one.state, ""))
    if one.accept_queue is not None:
        yield Field(
            "accept queue", f"{one.accept_queue} of {one.backlog}", ("accept_queue", "backlog")
        )
    yield from _queue("receive", one.receive_queue, one.receive_buffer)
    yield from _queue("send", one.send_queue, one.send_buffer)
    if one.dropped:
        yield Field("dropped", count(one.dropped, "packet"), ("dropped",), "red")
    if one.timer is not None:
        yield Field("timer", timer(one.timer), ("timer",), "yellow")
    if one.tcp is not None:
        yield from _tcp(one.tcp)
    if one.options:
        yield Field("options", " ".join(one.options), ("options",))


def _tcp(told: TcpInfo) -> Iterator[Field]:
    if told.retransmitted:
        yield Field("sent again", count(told.retransmitted, "segment"), ("tcp",), "yellow")
    if told.rtt:
        yield Field("round trip", f"{told.rtt / 1000:.2f} ms", ("tcp",))
    window = f"{count(told.congestion_window, 'segment')} of {count(told.mss, 'byte')}"
    yield Field("window", window, ("tcp",))


def _queue(which: str, waiting: int | None, buffer: int | None) -> Iterator[Field]:
    if waiting is not None:
        style = "bold" if waiting else ""
        yield Field(f"{which} queue", count(waiting, "byte"), (f"{which}_queue",), style)
    if buffer is not None:
        yield Field(f"{which} buffer", count(buffer, "byte"), (f"{which}_buffer",))


def _field(label: str, value: object, of: str) -> Field:
    if value is None or value == "":
        return Field(label, BLANK, (of,), "dim")
    text = clean(str(value))
    return Field(label, _WORDS.get(text, text), (of,))


def _peer(inode: int, snapshot: Snapshot) -> str:
    holders = snapshot.holders.get(inode, ())
    held = ", ".join(f"{fd} of process {pid}" for pid, fd in holders)
    return f"socket {inode}" + (f" ({held})" if held else "")


def timer(one: Timer) -> str:
    """Return what timer runs, when it fires, and how often it has in a row."""
    again = f", {count(one.attempts, 'time')} so far" if one.attempts else ""
    return f"{one.kind} in {one.ms / 1000:.1f} s{again}"


def process_title(one: Process) -> str:
    return f"process {one.pid}: {clean(one.name)}"


def process_lines(one: Process) -> list[str]:
    """Return what is told of a process above its table."""
    owner = f"parent {one.parent}, user {clean(one.user)}"
    if one.state == "Z":
        return [owner, "zombie: it has ended, its parent has not waited"]
    command = clean(" ".join(one.command))
    return [command, owner] if command else [owner]


def entry(one: Descriptor) -> str:
    """Return a descriptor and what it stands for."""
    role = _STANDARD.get(one.fd)
    what = " ".join(word for word in (_what(one), _flags(one)) if word)
    return f"{role}: {what}" if role else what


def _what(one: Descriptor) -> str:
    if one.kind == "file":
        return clean(one.target)
    if one.watches:
        return f"{one.kind}, waits for {', '.join(map(str, one.watches))}"
    return clean(one.kind) if one.inode is None else f"{clean(one.kind)} {one.inode}"


def _flags(one: Descriptor) -> str:
    words = (("O_NONBLOCK", one.nonblocking), ("CLOEXEC", one.close_on_exec))
    said = ", ".join(word for word, is_set in words if is_set)
    return f"({said})" if said else ""
