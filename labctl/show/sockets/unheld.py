"""Lists the sockets that no process holds: not accepted yet, or closed and not yet gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from labctl.observe.sockets.model import KernelSocket, SocketAddress
from labctl.show.sockets import words
from labctl.show.sockets.canvas import clean
from labctl.show.sockets.marks import Marks

_MOST = 12
"""How many in one state are listed; JSON has them all."""


def lines(sockets: Sequence[KernelSocket], marks: Marks) -> list[Text]:
    """Return a table of them, by state; none where there are none."""
    if not sockets:
        return []
    by_state: dict[str, list[KernelSocket]] = defaultdict(list)
    for one in sockets:
        by_state[one.state].append(one)
    result = [Text("sockets of no process", "bold")]
    shown = [one for state in sorted(by_state) for one in by_state[state][:_MOST]]
    for one, line in zip(shown, _columns([_cells(one) for one in shown]), strict=True):
        new = marks.socket(one.key)
        result.append(Text(f"{'*' if new else ' '} {line}", "bold yellow" if new else ""))
    for state in sorted(by_state):
        if len(by_state[state]) > _MOST:
            result.append(Text(f"  {len(by_state[state]) - _MOST:,} more in {state}", "dim"))
    return result


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cells(one: KernelSocket) -> tuple[str, ...]:
    kind = one.protocol or one.family.replace("AF_", "PF_", 1)
    return one.state, kind, _end(one.local), "→", _end(one.remote), _why(one)


def _end(one: SocketAddress) -> str:
    if one.port is None:
        return clean(one.address or words.BLANK)
    address = one.address or words.BLANK
    return f"[{address}]:{one.port}" if ":" in address else f"{address}:{one.port}"


def _why(one: KernelSocket) -> str:
    """Return why it is there although no descriptor stands for it."""
    if one.inode:
        return "held from outside the host"
    said = []
    if one.awaits_accept:
        in_queue = one.state != "SYN-RECEIVED"
        said.append("waits for accept" if in_queue else "its handshake is not over")
    if _unread(one):
        said.append(f"{words.count(_unread(one), 'byte')} unread")
    if one.send_queue:
        said.append(f"{words.count(one.send_queue, 'byte')} to be acknowledged")
    if one.timer is not None:
        gone = one.timer.kind == "time-wait"
        said.append(f"gone in {one.timer.ms / 1000:.0f} s" if gone else words.timer(one.timer))
    return ", ".join(said)


def _unread(one: KernelSocket) -> int:
    """Return how many bytes wait in it. The kernel counts the FIN as one, until it is read."""
    unread = one.receive_queue or 0
    return unread - 1 if unread and one.state == "CLOSE-WAIT" else unread
