"""The words that stand at a message, in all its pictures."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.observe.dissect.model import Field, Message
from labctl.show.figure.units import plain

_FIRST_DRAWN = 2
_MOST_DRAWN = 8


def title(message: Message) -> str:
    """Return what a message is: `3  GetRequest-PDU  client 10.0.0.3:40000 → ...`."""
    answers = "" if message.answers is None else f", to request {message.answers}"
    return f"{message.title}{answers}: {ends(message)}"


def ends(message: Message) -> str:
    """Return from where to where it went."""
    return plain(f"{message.source} → {message.target}")


def wrong(message: Message) -> list[str]:
    """Return what is wrong with it, a line each."""
    told = [] if message.problem is None else [f"cannot be read on: {message.problem}"]
    return [plain(line) for line in (*told, *message.faults)]


def bindings(message: Message) -> str:
    """Return the names and values that it carries, as far as there are any."""
    found = [f for top in message.fields for _, f in top.walk() if f.name == "binding"]
    return plain(", ".join(_binding(one.parts) for one in found))


def _binding(parts: Sequence[Field]) -> str:
    name = parts[0].meaning if parts else ""
    short = name.partition("(")[2].rstrip(")") or name
    if len(parts) < 2:
        return short
    value = parts[1]
    empty = value.kind == "NULL" or not value.value
    return f"{short} {value.kind}" if empty else f"{short} = {value.kind} {value.meaning}"


def drawn(messages: Sequence[Message]) -> list[Message]:
    """Return those that are drawn where nobody chose: the first request with its response.

    What is wrong is drawn as well, up to eight messages in all.
    """
    first = messages[:_FIRST_DRAWN]
    for message in messages:
        if message.answers is not None:
            first = [messages[message.answers - 1], message]
            break
    bad = [m for m in messages if not m.good and m not in first]
    return sorted([*first, *bad][:_MOST_DRAWN], key=lambda m: m.number)


def milliseconds(message: Message, first: Message) -> str:
    """Return when it was seen, counted from the first of all."""
    return f"{(message.time - first.time) / 1e6:.3f} ms"
