"""What the demo did, as a table and as JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table

from labctl.play.demo import Exchange, Told


def as_json(told: Told) -> dict[str, Any]:
    """Return the whole of it."""
    return {**asdict(told), "whole": told.whole}


def exchanges(told: Told) -> Table:
    """Return a table of what went from where to where."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "WHAT", "FROM", "TO", "BYTES", "TIME"):
        table.add_column(column, justify="right" if column in ("BYTES", "TIME") else "left")
    for number, exchange in enumerate(told.exchanges, 1):
        table.add_row(
            str(number),
            exchange.what,
            place(exchange.sender, exchange.source),
            place(exchange.receiver, exchange.target),
            f"{exchange.bytes:,}",
            duration(exchange),
        )
    return table


def proofs(told: Told) -> Table:
    """Return a table of the SHA-256 of each copy."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("HOST", "COPY", "SHA-256"):
        table.add_column(column)
    for proof in told.proofs:
        table.add_row(proof.host, proof.path, proof.sha256)
    return table


def place(host: str, address: tuple[str, int]) -> str:
    """Return host, address and port as one word: `client 10.201.0.3:40112`."""
    return f"{host} {address[0]}:{address[1]}"


def duration(exchange: Exchange) -> str:
    """Return the time in milliseconds, and the rate of what took long enough to have one."""
    text = f"{exchange.seconds * 1000:.1f} ms"
    if exchange.bytes >= 1 << 20 and exchange.seconds > 0:
        text += f" ({exchange.bytes * 8 / exchange.seconds / 1e6:,.0f} Mbit/s)"
    return text
