"""What a datagram is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A field of a header, or one tag, length and value of BER.

    `at` is where it begins within its part, in bytes. Of a header only `value` is filled;
    where a header's fields share a byte, each shows it. `kind` is the name of the tag's type.
    `parts` are the fields that the value is made of.
    """

    name: str
    at: int
    value: bytes
    meaning: str = ""
    tag: bytes = b""
    length: bytes = b""
    kind: str = ""
    parts: tuple[Field, ...] = ()

    @property
    def data(self) -> bytes:
        """All its bytes."""
        return self.tag + self.length + self.value

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Field]]:
        """Yield this field and all within it, each with how deep it lies."""
        yield depth, self
        for part in self.parts:
            yield from part.walk(depth + 1)


@dataclass(frozen=True)
class Part:
    """A header, or the message: `at` is where it begins within the IP packet, in bytes."""

    title: str
    source: str
    at: int
    size: int
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Message:
    """One datagram that carries a message of SNMP, or should.

    `number` counts from 1, `time` is when it was first seen, in ns since the epoch. `seen` are
    the hosts that saw it, each with which way it went, in the order of time. `problem` says
    where it cannot be read on, `faults` what in it is not as the standards have it; `answers`
    is the number of the request that it is the response to.
    """

    number: int
    time: int
    source: str
    target: str
    seen: tuple[str, ...]
    parts: tuple[Part, ...]
    title: str = ""
    problem: str | None = None
    faults: tuple[str, ...] = ()
    request_id: int | None = None
    answers: int | None = None

    @property
    def good(self) -> bool:
        """Whether it could be read whole and is as the standards have it."""
        return self.problem is None and not self.faults

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the message itself, without the headers."""
        return self.parts[-1].fields if self.parts else ()
