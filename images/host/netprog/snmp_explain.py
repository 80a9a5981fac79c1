"""The words that explain a message of SNMP: a line for each tag, length and value."""

import ber
import snmp
from ber import Element

NAMES = {
    (): "message",
    (0,): "version",
    (1,): "community",
    (2,): "PDU",
    (2, 0): "request-id",
    (2, 1): "error-status",
    (2, 2): "error-index",
    (2, 3): "variable-bindings",
    (2, 3, 0): "binding",
    (2, 3, 0, 0): "name",
    (2, 3, 0, 1): "value",
}
"""What each part is, by its way from the outside: the PDU is the third part of the message."""


def explained(data: bytes) -> list[str]:
    """A line for each tag, length and value: where, its bytes, and what they mean.

    Raises Malformed.
    """
    lines = [f"{'at':>4}  {'tag':3}  {'length':6}  {'value':40}  meaning"]

    def explain(element: Element, way: tuple[int, ...]) -> None:
        indent = "  " * len(way)
        length = data[element.at + 1 : element.start].hex(" ")
        value = "" if element.parts else element.value.hex(" ")
        meaning = (
            f"{NAMES.get(way, '')}: {snmp.TAGS.get(element.tag, 'unknown')} {_meaning(element)}"
        )
        shown = f"{indent}{value}"
        lines.append(f"{element.at:4}  {element.tag:02x}   {length:6}  {shown:40}  {meaning}")
        for number, part in enumerate(element.parts):
            explain(part, (*way, number))

    explain(ber.decode(data), ())
    return [line.rstrip() for line in lines]


def _meaning(element: Element) -> str:
    size = element.end - element.start
    return f"of {size} bytes" if element.parts else snmp.text(element)
