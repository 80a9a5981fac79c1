"""Messages as JSON."""

from __future__ import annotations

from typing import Any

from labctl.observe.dissect.model import Field, Message, Part
from labctl.show.figure.units import plain


def as_object(message: Message) -> dict[str, Any]:
    """Return a message as what JSON can hold; bytes are in hex."""
    return {
        "number": message.number,
        "time": message.time,
        "source": plain(message.source),
        "target": plain(message.target),
        "seen": [plain(one) for one in message.seen],
        "title": message.title,
        "request_id": message.request_id,
        "answers": message.answers,
        "problem": message.problem,
        "faults": list(message.faults),
        "parts": [_part(part) for part in message.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "title": part.title,
        "source": part.source,
        "at": part.at,
        "size": part.size,
        "fields": [_field(field) for field in part.fields],
    }


def _field(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field.name, "at": field.at, "bytes": field.data.hex()}
    if field.tag:
        told |= {"tag": field.tag.hex(), "length": field.length.hex(), "type": field.kind}
    told |= {"value": field.value.hex(), "meaning": plain(field.meaning)}
    if field.tag:
        told["parts"] = [_field(part) for part in field.parts]
    return told
