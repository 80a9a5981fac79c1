"""Connections that nobody accepts, or not before another has been served (accept(2))."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.sequence.connection import Connection
from labctl.sequence.diagnose.diagnosis import Finding
from labctl.sequence.diagnose.facts import Facts
from labctl.sequence.diagnose.handshakes import acknowledged
from labctl.sequence.diagnose.ports import Holder
from labctl.sequence.diagnose.queues import queues
from labctl.sequence.diagnose.words import span
from labctl.sequence.verbs import verb

_LONG = 500_000_000
"""Nanoseconds after which it is certain that a connection is left waiting."""


def listen_never_accept(facts: Facts) -> Iterator[Finding]:
    """Say of listening sockets that connections came to them and nobody ever called accept."""
    accepted = {socket.listener for socket in facts.sockets.values()}
    for holder, connections in queues(facts):
        calls = facts.socket_calls.get(holder.socket.id, [])
        made = [(c, done) for c in connections for done in [acknowledged(c)] if done]
        tried = any(verb(call.name) == "accept" for call in calls)
        if not made or holder.listen is None or tried or holder.socket.id in accepted:
            continue
        first = made[0][1][1]
        if not _had_time(facts, holder, first):
            continue
        yield Finding(
            rule="listen-never-accept",
            level="error",
            host=holder.socket.host,
            time=first,
            key=holder.socket.id,
            sentence=f"{facts.owner(holder.socket)} listens on {holder.local} and never called"
            f" accept: the kernel completed the handshake with"
            f" {facts.name(made[0][0].client)} {facts.at(first)}"
            f"{f' and with {len(made) - 1:,} more' if len(made) > 1 else ''}, and nobody serves"
            f" them",
            advice="Call accept in a loop: each call takes one connection from the queue and"
            " returns a new descriptor for it.",
            events=(holder.listen, made[0][1][0]),
            connections=tuple(sorted(c.id for c, _ in made)),
        )


def _had_time(facts: Facts, holder: Holder, first: int) -> bool:
    """Whether its process did anything else, or ended, or nothing happened for long."""
    if facts.end - first >= _LONG or holder.socket.released is not None:
        return True
    for pid in holder.socket.holders:
        calls = facts.process_calls.get((holder.socket.host, pid), [])
        if calls and calls[-1].start > first:
            return True
    return False


def one_at_a_time(facts: Facts) -> Iterator[Finding]:
    """Say of connections that waited in the queue while the server served another."""
    for holder, connections in queues(facts):
        turns = sorted(_turns(connections), key=lambda turn: turn[1])
        previous: dict[tuple[str, int], tuple[Connection, int, int]] = {}
        for connection, accepted, over, thread, done in turns:
            before = previous.get(thread)
            previous[thread] = connection, accepted, over
            if before is None or not before[1] < done < before[2] <= accepted:
                continue
            yield Finding(
                rule="one-at-a-time",
                level="info",
                host=holder.socket.host,
                time=done,
                key=holder.socket.id,
                sentence=f"{facts.owner(holder.socket)} serves one client at a time:"
                f" {facts.name(connection.client)} was connected {facts.at(done)} and waited"
                f" {span(before[2] - done)} in the accept queue until"
                f" {facts.name(before[0].client)} had been served",
                advice="Where clients should not wait for each other, serve each in a thread or"
                " process of its own, or poll.",
                events=(holder.listen,) if holder.listen else (),
                connections=tuple(sorted({connection.id, before[0].id})),
                weight=before[2] - done,
            )


_Turn = tuple[Connection, int, int, tuple[str, int], int]
"""A connection, when accept was called for it, when the server closed it, by which thread, and
when its handshake was complete."""


def _turns(connections: list[Connection]) -> Iterator[_Turn]:
    for connection in connections:
        done = acknowledged(connection)
        calls = connection.server.calls
        accept = next((c for c in calls if verb(c.name) == "accept"), None)
        if done is None or accept is None or connection.server.socket is None:
            continue
        own = connection.server.socket.id
        mine = [c for c in calls if c.socket == own and c.tid == accept.tid]
        close = next((c for c in reversed(mine) if verb(c.name) == "close"), None)
        served = any(verb(c.name) in ("recv", "send") for c in mine)
        if close and served:
            thread = accept.host, accept.tid
            yield connection, accept.start, close.start, thread, done[1]
