"""The form of `sequence:` for JSON Schema. What the words in it mean is left to the parser."""

from __future__ import annotations

from typing import Any

from labctl.sequence.pattern import words

_TEXTS: dict[str, Any] = {
    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]
}
_INSTANTS: dict[str, Any] = {"type": "array", "minItems": 2, "items": {"type": "string"}}
_KEYS: dict[str, Any] = {
    "wire": {**_TEXTS, "description": "segments of each connection: SYN, data+, client>FIN"},
    "never": {
        "type": "object",
        "description": "calls that a host must never make",
        "patternProperties": {f"^{words.HOST}$": _TEXTS},
        "additionalProperties": False,
    },
    "before": {
        "type": "array",
        "description": "what must come before what: [server.listen.return, client.connect.call]",
        "items": _INSTANTS,
    },
    "port": {
        "type": "integer",
        "minimum": 1,
        "maximum": 65_535,
        "description": "only connections to this port of their server",
    },
    "protocol": {"enum": ["tcp", "udp"], "description": "only connections of this protocol"},
    "connections": {
        "description": "how many there must be: 3, or 3+ for at least three",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+\+?$"}],
    },
}

FORM: dict[str, Any] = {
    "type": "object",
    "properties": _KEYS,
    "patternProperties": {f"^(?!({'|'.join(words.KEYS)})$){words.HOST}$": _TEXTS},
    "additionalProperties": False,
}
"""A host's name stands for the calls it must make: [socket, bind, listen, accept, recv+]."""
