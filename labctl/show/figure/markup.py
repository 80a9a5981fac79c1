"""Elements of SVG, with all that is foreign in them made harmless."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from labctl.show.figure.units import plain

Attribute = str | float | None


def add(parent: Element, name: str, text: str = "", **attributes: Attribute) -> Element:
    """Add an element. `class_` is its class, `_` in a name stands for a hyphen, None for none.

    What does not print is escaped, so that the document stays valid XML 1.0 (2.2) and nothing
    turns the direction of what is read.
    """
    made = SubElement(parent, name, _attributes(attributes))
    if text:
        made.text = plain(text)
    return made


def root(name: str, **attributes: Attribute) -> Element:
    return Element(name, _attributes(attributes))


def _attributes(given: dict[str, Attribute]) -> dict[str, str]:
    return {
        name.rstrip("_").replace("_", "-"): plain(value)
        if isinstance(value, str)
        else number(value)
        for name, value in given.items()
        if value is not None
    }


def number(value: float) -> str:
    """Return a measure with one decimal at the most."""
    return f"{value:.1f}".removesuffix(".0")


def path(*points: tuple[float, float], closed: bool = False) -> str:
    """Return the data of a path through points (SVG 2, 9.3)."""
    drawn = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f"M{drawn}" + ("Z" if closed else "")
