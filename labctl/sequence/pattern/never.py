"""Finds calls and segments that must never be there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labctl.sequence.connection import Connection, Socket
from labctl.sequence.events import Call
from labctl.sequence.gaps import Gaps
from labctl.sequence.pattern import wire
from labctl.sequence.pattern.calls import plain_sign
from labctl.sequence.pattern.groups import Groups
from labctl.sequence.pattern.meaning.never import never_meaning
from labctl.sequence.pattern.model import Pattern
from labctl.sequence.pattern.seen import Seen
from labctl.sequence.pattern.show import call_text, count, milliseconds, segment_text
from labctl.sequence.pattern.signs import asks_any, asks_segment
from labctl.sequence.pattern.syntax import Atom, text
from labctl.sequence.pattern.verdict import Failure

DNS = 53
_ON_FILES_TOO = frozenset({"read", "readv", "write", "writev", "close", "close_range", "sendfile"})


def judge_never(
    pattern: Pattern,
    connections: Sequence[Connection],
    seen: Seen,
    zero: int,
    failing: set[int],
) -> list[Failure]:
    """Return what was there though it should never be."""
    failures: list[Failure] = []
    gaps = Gaps(seen.recording.notices)
    rules = _Rules(pattern, {socket.id: socket for socket in seen.sockets})
    for host, atoms in pattern.never.items():
        if host == "wire":
            found_there = list(_on_wire(atoms, connections, zero, failing))
            failures += found_there or _unsure("the wire", atoms, gaps.packets)
            continue
        calls = [call for call in seen.calls if call.host == host]
        if not calls:
            said = (
                f"No call of {host} was seen at all, so nothing can be said of what it never did."
            )
            failures.append(Failure("never", said))
        made = {
            atom: found
            for atom in atoms
            if (found := [call for call in calls if rules.concerns(call) and _asks(atom, call)])
        }
        failures += [_made(host, atom, found, pattern, zero) for atom, found in made.items()]
        rest = tuple(atom for atom in atoms if atom not in made)
        failures += _unsure(host, rest, gaps.calls(host))
    return failures


def _unsure(where: str, atoms: tuple[Atom, ...], gap: str) -> list[Failure]:
    """Return the failure that nobody can know, where there are gaps in what was seen."""
    if not atoms or not gap:
        return []
    names = " or ".join(text(atom) for atom in atoms)
    said = f"Whether there never was {names} on {where} cannot be told, as not all was seen: {gap}."
    return [Failure("never", said)]


@dataclass(frozen=True)
class _Rules:
    """Which calls are meant: those on Internet sockets that are the program's own."""

    pattern: Pattern
    sockets: dict[int, Socket]

    def concerns(self, call: Call) -> bool:
        socket = self.sockets.get(call.socket) if call.socket is not None else None
        if socket is None:
            family = str(call.args.get("family", "AF_INET"))
            return call.name not in _ON_FILES_TOO and "INET" in family
        if "INET" not in socket.family:
            return False
        datagram = "DGRAM" in socket.type
        # Looking a name up makes datagram sockets, connects and binds them (getaddrinfo(3)).
        if datagram and socket.remote and socket.remote.port == DNS != self.pattern.port:
            return False
        return not (datagram and self.pattern.protocol == "tcp")


def _asks(atom: Atom, call: Call) -> bool:
    return asks_any(atom, plain_sign(call))


def _made(host: str, atom: Atom, calls: list[Call], pattern: Pattern, zero: int) -> Failure:
    first = calls[0]
    again = f" ({count(len(calls), 'time')} in all)" if len(calls) > 1 else ""
    said = (
        f"{host} should never call {text(atom)}, but did at {milliseconds(first.start - zero)}: "
        f"{call_text(first)}{again}."
    )
    return Failure("never", f"{said} {never_meaning(first, pattern.protocol)}".strip(), zero=zero)


def _on_wire(
    atoms: tuple[Atom, ...], connections: Sequence[Connection], zero: int, failing: set[int]
) -> Iterator[Failure]:
    groups = Groups(failing)
    for connection in connections:
        for atom in atoms:
            token = next((t for t in wire.tokens(connection) if asks_segment(atom, t.sign)), None)
            if token is None or isinstance(token.event, Call):
                continue
            at = milliseconds(token.event.time - zero)
            said = f"{text(atom)} should never be on the wire, but was there at {at}: "
            said += f"{segment_text(token.sign, token.event)}."
            groups.add(atom, Failure("never", said, connection, zero=zero))
    yield from groups.failures()
