"""Reads a pattern's plain data part by part, and goes on after what is wrong."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from labctl.sequence.pattern import choosing, protocol
from labctl.sequence.pattern import elements as words
from labctl.sequence.pattern.choosing import shown
from labctl.sequence.pattern.errors import Key, PatternError
from labctl.sequence.pattern.instants import read_chain
from labctl.sequence.pattern.model import Elements, Instant, Mention, Pattern
from labctl.sequence.pattern.positions import MAX_POSITIONS, count
from labctl.sequence.pattern.syntax import Atom, Choice, Node, Row, atoms
from labctl.sequence.pattern.words import HOST, KEYS, near_key

_SHAPE = "server: [socket, bind, listen, accept, recv+, send+, close]"
Value = TypeVar("Value")
_LIST = f"write a list of elements: {_SHAPE}"


class Reader:
    """`errors` and `mentions` are all that were found when `pattern` has returned."""

    def __init__(self) -> None:
        self.errors: list[PatternError] = []
        self.mentions: list[Mention] = []

    def fail(self, message: str, hint: str, *path: Key, key: bool = False) -> None:
        self.errors.append(PatternError(message, hint, path, key=key))

    def pattern(self, data: object) -> Pattern:
        if not isinstance(data, Mapping):
            self.fail("a pattern must be a mapping (`key: value`)", _SHAPE)
            return Pattern()
        if not data:
            self.fail("the pattern asks for nothing", f"name a host: {_SHAPE}")
        hosts = {
            str(name): self.elements(value, (name,), wire=False)
            for name, value in data.items()
            if name not in KEYS and self.host(name, (name,))
        }
        wire = self.elements(data["wire"], ("wire",), wire=True) if "wire" in data else None
        never = self.never(data.get("never", {}))
        before = self.before(data.get("before", []))
        number = data.get("connections", "1+")
        some: tuple[int, int | None] = (1, None)
        least, most = self.value(choosing.connections, number, "connections", some)
        transport = self.value(choosing.protocol, data.get("protocol"), "protocol", None)
        return Pattern(
            hosts,
            wire,
            never,
            before,
            self.value(choosing.port, data.get("port"), "port", None),
            transport or protocol.meant(hosts, wire, before),
            least,
            most,
            tuple(self.mentions),
        )

    def host(self, name: object, path: tuple[Key, ...]) -> bool:
        if not isinstance(name, str) or not re.fullmatch(HOST, name):
            word = shown(name).strip('"')
            hint = near_key(word) or f"hosts, and the words {', '.join(KEYS)}"
            told = isinstance(name, str)
            self.fail(
                f"`{word}` is not a host's name", hint, *(path if told else path[:-1]), key=told
            )
            return False
        self.mentions.append(Mention(name, path, key=True))
        return True

    def elements(self, value: object, path: tuple[Key, ...], *, wire: bool) -> Elements:
        read = words.read_segments if wire else words.read_calls
        found = [part for _, node in self.texts(value, path, read) for part in _parts(node)]
        if sum(map(count, found)) > MAX_POSITIONS:
            hint = "use `+` or `*` instead of large numbers"
            self.fail(f"more than {MAX_POSITIONS} elements once repeated", hint, *path)
        return tuple(found)

    def texts(
        self, value: object, path: tuple[Key, ...], read: Callable[[str], Node]
    ) -> Iterator[tuple[tuple[Key, ...], Node]]:
        if isinstance(value, str):
            items: list[tuple[tuple[Key, ...], object]] = [(path, value)]
        elif isinstance(value, list | tuple):
            items = [((*path, i), item) for i, item in enumerate(value)]
        else:
            self.fail("must be a list of elements", _LIST, *path)
            return
        for place, item in items:
            if not isinstance(item, str):
                self.fail(f"an element must be a text, not {shown(item)}", _LIST, *place)
                continue
            try:
                node = read(item)
            except PatternError as error:
                self.errors.append(error.below(*place))
                continue
            self.mentions += [
                Mention(atom.sender, place, key=False) for atom in atoms(node) if atom.sender
            ]
            yield place, node

    def never(self, value: object) -> dict[str, tuple[Atom, ...]]:
        if not isinstance(value, Mapping):
            self.fail("must be a mapping of host to calls", "never: {server: [connect]}", "never")
            return {}
        found: dict[str, tuple[Atom, ...]] = {}
        for name, items in value.items():
            path: tuple[Key, ...] = ("never", name)
            wire = name == "wire"
            if wire or self.host(name, path):
                read = words.read_segments if wire else words.read_calls
                found[str(name)] = tuple(self.single(self.texts(items, path, read)))
        return found

    def single(self, nodes: Iterator[tuple[tuple[Key, ...], Node]]) -> Iterator[Atom]:
        for path, node in nodes:
            options = node.options if isinstance(node, Choice) else (node,)
            for option in options:
                if isinstance(option, Atom):
                    yield option
                else:
                    hint = "name each call by itself: never: {server: [connect, listen]}"
                    self.fail("`never` knows no repetition and no order", hint, *path)

    def before(self, value: object) -> tuple[tuple[Instant, Instant], ...]:
        hint = "before: [[server.listen.return, client.connect.call]]"
        if not isinstance(value, list | tuple):
            self.fail("must be a list of pairs", hint, "before")
            return ()
        pairs: list[tuple[Instant, Instant]] = []
        for i, chain in enumerate(value):
            found, errors = read_chain(chain)
            self.errors += [error.below("before", i) for error in errors]
            pairs += itertools.pairwise(found)
            self.mentions += [
                Mention(instant.host, ("before", i, j), key=False)
                for j, instant in enumerate(found)
            ]
        return tuple(pairs)

    def value(
        self, read: Callable[[object], Value], data: object, key: str, default: Value
    ) -> Value:
        try:
            return read(data)
        except PatternError as error:
            self.errors.append(error.below(key))
            return default


def _parts(node: Node) -> tuple[Node, ...]:
    """Return what stands for itself in a report: of a row, each of its parts."""
    return node.parts if isinstance(node, Row) else (node,)
