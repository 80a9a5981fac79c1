"""Draws the crossings of processes as one HTML page: the picture and the tables below it."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from labctl.play.crossing import Crossed
from labctl.sequence.crossings import Crossings, findings
from labctl.show.figure.svg import element_text
from labctl.show.figure.units import plain
from labctl.show.syscalls.svg import picture
from labctl.show.syscalls.words import TRACER, command, finding, spent, title

_SUMMARY = (
    *("Host", "Process", "Program", "Calls", "Failed", "Inside", "at work", "waiting"),
    *("Outside", "Processor, outside", "Calls/s"),
)
_KINDS = ("Call", "Calls", "Not returned", "Inside", "at work", "waiting", "Bytes", "Failed with")


def draw(crossed: Crossed, kinds: int) -> str:
    """Return the page; it needs no network, and has no script.

    Of each process at most `kinds` kinds of call are drawn; the tables have all.
    """
    style = files("labctl.show.syscalls").joinpath("page.css").read_text(encoding="utf-8")
    name = escape(plain(crossed.title))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">",
        f"<title>{name}</title><style>{style}</style></head><body>",
        f'<div class="picture">{element_text(picture(crossed, kinds))}</div>',
        *_told(crossed),
        "<h2>Processes</h2>",
        _table("processes", _SUMMARY, [_summary(one) for one in crossed.processes]),
        *(_details(one) for one in crossed.processes),
        f"<p>{escape(crossed.tracer)}: {escape(TRACER.get(crossed.tracer, ''))}.</p>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _told(crossed: Crossed) -> list[str]:
    lines = [f"{finding(one)}. {one.advice}" for one in findings(crossed.processes)]
    lines += map(str, crossed.notices)
    return [f'<p class="told">{escape(plain(line))}</p>' for line in lines]


def _summary(one: Crossings) -> list[str]:
    return [
        one.host,
        str(one.pid),
        command(one),
        f"{one.calls:,}",
        f"{one.errors.total():,}",
        *map(spent, (one.inside, one.working, one.waiting, one.outside, one.user)),
        f"{one.per_second:,.0f}",
    ]


def _details(one: Crossings) -> str:
    rows = [
        [
            kind.name,
            f"{kind.calls:,}",
            f"{kind.unreturned:,}" if kind.unreturned else "",
            *map(spent, (kind.inside, kind.working, kind.waiting)),
            f"{kind.moved:,}" if kind.moved else "",
            ", ".join(f"{count:,} {errno}" for errno, count in sorted(kind.errors.items())),
        ]
        for kind in one.kinds
    ]
    inner = _table("kinds", _KINDS, rows)
    return f"<details><summary>{escape(title(one))}</summary>{inner}</details>"


def _table(name: str, head: tuple[str, ...], rows: list[list[str]]) -> str:
    def line(cells: list[str] | tuple[str, ...], tag: str) -> str:
        inner = "".join(f"<{tag}>{escape(plain(cell))}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    top, body = line(head, "th"), "\n".join(line(row, "td") for row in rows)
    return f'<table class="{name}"><thead>{top}</thead><tbody>{body}</tbody></table>'
