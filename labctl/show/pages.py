"""Makes one HTML document of a page's parts: it needs no network and no server."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

_SLOT = re.compile(r"\{\{([a-z-]+)\}\}")


def page(room: str, title: str, data: Any, more: Mapping[str, str] | None = None) -> str:
    """Return the document of page/page.{html,css,js} in a package, on the style of all pages.

    `data` is what its script reads as JSON; `more` fills further slots, as markup.
    """

    def part(name: str) -> str:
        return files(room).joinpath("page", name).read_text(encoding="utf-8")

    every = files("labctl.show").joinpath("page.css").read_text(encoding="utf-8")
    script = part("page.js")
    # A browser runs the page's own script only, whatever else got into the page.
    digest = b64encode(sha256(script.encode()).digest()).decode()
    slots = {
        "title": escape(title),
        "style": f"{every}\n{part('page.css')}",
        "script": script,
        "script-hash": f"sha256-{digest}",
        "data": _harmless(data),
        **(more or {}),
    }
    return _SLOT.sub(lambda slot: slots[slot[1]], part("page.html"))


def _harmless(data: Any) -> str:
    """Return JSON that can stand in a script element: nothing in it ends the element."""
    text = json.dumps(data, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
