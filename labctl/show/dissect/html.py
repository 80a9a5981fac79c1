"""Draws messages as one HTML page: a table of all, below it each one taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from labctl.observe.dissect.model import Message
from labctl.show.dissect import words
from labctl.show.dissect.svg import element

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1f2328; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d8dee4; }
td:first-child, td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
.wrong { color: #cf222e; font-weight: 600; }
.key span { padding: .1rem .5rem; border-radius: 3px; margin-right: .6rem; }
.tag { background: #cfe3fb; } .length { background: #fbe3c0; } .value { background: #cfeed6; }
figure { margin: 0 0 1.5rem; overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117; } th, td { border-color: #2d333b; }
  .tag { background: #17406d; } .length { background: #5f4213; } .value { background: #17502a; }
  .wrong { color: #ff7b72; } }
"""


def draw(title: str, messages: Sequence[Message], chosen: Sequence[Message]) -> str:
    """Return the page; of all `messages`, those `chosen` are drawn."""
    return "".join(_page(title, messages, chosen))


def _page(title: str, messages: Sequence[Message], chosen: Sequence[Message]) -> Iterator[str]:
    # What a datagram holds may be anybody's: the page runs nothing and loads nothing.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
    yield f'<h1>{escape(title)}</h1>\n<p class="key"><span class="tag">tag</span>'
    yield '<span class="length">length</span><span class="value">value</span>'
    yield "A box around others is a value made of them; small numbers count bytes.</p>\n"
    yield "<table><thead><tr><th></th><th>time</th><th>from, to</th><th>what</th>"
    yield "<th>names and values</th></tr></thead><tbody>\n"
    drawn = {message.number for message in chosen}
    for message in messages:
        yield _row(message, messages[0], message.number in drawn)
    yield "</tbody></table>\n"
    for message in chosen:
        yield f'<figure id="m{message.number}">{element([message], messages[0])}</figure>\n'
    yield "</body></html>\n"


def _row(message: Message, first: Message, drawn: bool) -> str:
    number = f'<a href="#m{message.number}">{message.number}</a>' if drawn else message.number
    answers = "" if message.answers is None else f" to {message.answers}"
    wrong = "<br>".join(escape(line) for line in words.wrong(message))
    cells = (
        f"{number}",
        words.milliseconds(message, first),
        escape(words.ends(message)),
        f"{message.title}{answers}",
        escape(words.bindings(message)) + (f' <span class="wrong">{wrong}</span>' if wrong else ""),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"
