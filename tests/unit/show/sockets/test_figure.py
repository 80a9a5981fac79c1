"""The figure of descriptor tables and sockets, as text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from labctl.observe.sockets.model import Descriptor, Snapshot, SocketAddress, TcpInfo, Timer
from labctl.show.sockets import figure, text
from labctl.show.sockets.marks import Marks
from tests.unit.observe.sockets.recorded import taken

from . import made

EMPTY_SOCKET = """\
┌ process 7: web ───────────────┐
│ web 80                        │
│ parent 1, user ann            │
├───────────────────────────────┤
│ 0  standard input: /dev/null  │
│ 1  standard output: /dev/null │
│ 2  standard error: /dev/null  │     ┌ socket 34 ─────────────────────┐
│ 3  socket 34                  ├────▶│ family          PF_INET        │
└───────────────────────────────┘     │ type            SOCK_STREAM    │
                                      │ local address   —              │
                                      │ local port      —              │
                                      │ remote address  —              │
                                      │ remote port     —              │
                                      ├────────────────────────────────┤
                                      │ state           CLOSED         │
                                      └────────────────────────────────┘"""

SHARED_SOCKETS = """\
┌ process 7: web ───────────────┐
│ web 80                        │
│ parent 1, user ann            │
├───────────────────────────────┤
│ 0  standard input: /dev/null  │
│ 1  standard output: /dev/null │
│ 2  standard error: /dev/null  │         ┌ socket 34 ─────────────────────┐
│ 3  socket 34                  ├─┬──────▶│ family          PF_INET        │
│                               │ │       │ type            SOCK_STREAM    │
│                               │ │       │ local address   0.0.0.0 (any)  │
│                               │ │       │ local port      80             │
│                               │ │       │ remote address  —              │
│                               │ │       │ remote port     —              │
│                               │ │       ├────────────────────────────────┤
│                               │ │       │ state           LISTEN         │
│                               │ │       │ accept queue    1 of 5         │
│                               │ │       └────────────────────────────────┘
│                               │ │       ┌ socket 35 ─────────────────────┐
│ 4  socket 35                  ├─│─┬────▶│ family          PF_INET        │
└───────────────────────────────┘ │ │     │ type            SOCK_STREAM    │
┌ process 8: web ───────────────┐ │ │     │ local address   10.0.0.1       │
│ web 80                        │ │ │     │ local port      80             │
│ parent 7, user ann            │ │ │     │ remote address  10.0.0.2       │
├───────────────────────────────┤ │ │     │ remote port     4000           │
│ 0  standard input: /dev/null  │ │ │     ├────────────────────────────────┤
│ 1  standard output: /dev/null │ │ │     │ state           ESTABLISHED    │
│ 2  standard error: /dev/null  │ │ │     │ receive queue   5 bytes        │
│ 3  socket 34                  ├─┘ │     │ receive buffer  131,072 bytes  │
│ 4  socket 35                  ├───┘     └────────────────────────────────┘
└───────────────────────────────┘"""


def drawn(snapshot: Snapshot, width: int = 100, before: Snapshot | None = None) -> str:
    return "\n".join(line.plain for line in text.draw(snapshot, width, before))


def test_a_new_socket_is_as_in_figure_6_28() -> None:
    assert drawn(made.AFTER_SOCKET) == EMPTY_SOCKET


def test_a_socket_that_two_processes_share_is_one_box_with_two_arrows() -> None:
    assert drawn(made.AFTER_FORK) == SHARED_SOCKETS


def test_what_changed_since_is_marked() -> None:
    marked = [
        line for line in drawn(made.AFTER_BIND, 100, made.AFTER_SOCKET).splitlines() if "*" in line
    ]
    assert [line.partition("│*")[2].split()[:3] for line in marked] == [
        ["local", "address", "0.0.0.0"],
        ["local", "port", "80"],
    ]
    assert "│*4  socket 35" in drawn(made.AFTER_ACCEPT, 100, made.AFTER_BIND)
    assert "*" not in drawn(made.AFTER_ACCEPT, 100, made.AFTER_ACCEPT)


@pytest.mark.parametrize("width", [65, 66, 67, 72, 80, 100, 140, 200])
def test_no_line_is_wider_than_there_is_room(width: int) -> None:
    for snapshot in (made.AFTER_FORK, taken()):
        lines = figure.draw(snapshot, width, Marks())
        assert max(cell_len(line.plain) for line in lines) <= width


@pytest.mark.parametrize("width", [72, 100, 160])
def test_every_descriptor_and_socket_is_drawn_once(width: int) -> None:
    shot = taken()
    drawing = drawn(shot, width)
    for inode in shot.held:
        assert drawing.count(f"┌ socket {inode} ") == 1
    assert drawing.count("▶") == len(shot.held)
    assert drawing.count("┌ process ") == len(shot.processes)


def test_what_a_program_calls_itself_moves_no_cursor() -> None:
    bad = replace(made.process(7, 34), command=("a\x1b[2J\nb", "\u202e"), name="x\r\x07")
    entry = Descriptor(5, "file", "/tmp/\x1b]0;title\x07\udcff 文件")
    bad = replace(bad, descriptors=(*bad.descriptors, entry))
    drawing = drawn(made.snapshot((bad,), made.NEW))
    assert not set("\x1b\r\x07\u202e\udcff") & set(drawing)
    assert "/tmp/ ]0;title 文件" in drawing
    left = [line for line in drawing.splitlines() if line[0] in "┌│├└"]
    ends = {cell_len(re.split("[│┐├┤┘]", line[1:])[0]) for line in left}
    assert len(ends) == 1  # though some characters are two cells wide


def test_timers_and_what_was_sent_again() -> None:
    trying = replace(
        made.NEW,
        state="SYN-SENT",
        send_queue=1,
        timer=Timer("retransmit", 728, 1),
        tcp=TcpInfo(0, 250000, 1000000, 1, 524, 1, 1),
        dropped=2,
        options=("SO_REUSEADDR", "TCP_NODELAY"),
    )
    drawing = drawn(made.snapshot((made.process(7, 34),), trying))
    for words in (
        "send queue      1 byte ",
        "timer           retransmit in 0.7 s, 1 time so far",
        "sent again      1 segment ",
        "window          1 segment of 524 bytes",
        "dropped         2 packets",
        "options         SO_REUSEADDR TCP_NODELAY",
    ):
        assert words in drawing
    assert "round trip" not in drawing


def test_sockets_of_no_process_stand_apart() -> None:
    waiting = replace(made.ACCEPTED, inode=0, cookie=3)
    half = replace(waiting, cookie=4, state="CLOSE-WAIT", receive_queue=1)
    gone = replace(
        waiting, cookie=5, state="TIME-WAIT", receive_queue=0, timer=Timer("time-wait", 58400, 0)
    )
    outside = replace(made.LISTENING, inode=99, cookie=6, local=SocketAddress("::1", 53))
    drawing = drawn(
        made.snapshot((made.process(7, 34),), made.LISTENING, waiting, half, gone, outside)
    )
    apart = drawing.partition("sockets of no process\n")[2].splitlines()
    assert [" ".join(line.split()) for line in apart] == [
        "CLOSE-WAIT tcp 10.0.0.1:80 → 10.0.0.2:4000 waits for accept",
        "ESTABLISHED tcp 10.0.0.1:80 → 10.0.0.2:4000 waits for accept, 5 bytes unread",
        "LISTEN tcp [::1]:53 → — held from outside the host",
        "TIME-WAIT tcp 10.0.0.1:80 → 10.0.0.2:4000 gone in 58 s",
    ]


def test_a_thousand_of_them_are_folded() -> None:
    gone = [replace(made.ACCEPTED, inode=0, cookie=n, state="TIME-WAIT") for n in range(1000)]
    drawing = drawn(made.snapshot((), *gone))
    assert len(drawing.splitlines()) < 20
    assert "988 more in TIME-WAIT" in drawing


def test_nothing_at_all_says_so() -> None:
    assert (
        drawn(made.snapshot(())) == "no process of host server has a socket; --all shows them all"
    )


def test_notes_are_told() -> None:
    assert drawn(replace(made.AFTER_SOCKET, notes=("it is dark",))).endswith("\n\nnote: it is dark")


def test_the_headline_has_the_time_to_the_millisecond() -> None:
    assert text.headline(made.AFTER_SOCKET).plain.startswith("host server at ")
    assert text.headline(made.AFTER_SOCKET).plain.endswith(".123")
