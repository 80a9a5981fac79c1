"""Queues over time as a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }}
svg {{ width: 100%; height: auto }}
pre {{ font: 13px/1.5 ui-monospace, monospace; overflow-x: auto }}
</style>
<h1>{title}</h1>
{svg}
<pre>{text}</pre>
</html>
"""


def draw(title: str, svg: bytes, below: Sequence[str]) -> str:
    """Return a page with an image and lines of text below it."""
    image = svg.decode()
    image = image[image.index("<svg") :]
    return _PAGE.format(title=escape(title), svg=image, text=escape("\n".join(below)))
