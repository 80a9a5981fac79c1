"""A film as text, as a page and as JSON; what is said of a frame."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from labctl.observe.sockets.model import Descriptor, Process, SocketAddress
from labctl.observe.steps.model import Film, Frame, StepCall
from labctl.show.film import asjson, captions, html, text
from tests.unit.show.sockets import made

EMPTY = made.snapshot((made.process(7),))


def frame(name: str, *args: int, result: int | None = 0, **more: object) -> Frame:
    padded = (*args, *(0,) * (6 - len(args)))
    call = StepCall(name, padded, {}, result)
    base = Frame("server", "call", 7, 7, EMPTY, call)
    return replace(base, **more)  # type: ignore[arg-type]


EXEC = frame("execve", event="exec")
SOCKET = frame("socket", 2, 1, result=3, snapshot=made.AFTER_SOCKET, before=EMPTY)
BIND = frame("bind", 3, snapshot=made.AFTER_BIND, before=made.AFTER_SOCKET)
LISTENING = made.snapshot((made.process(7, 34),), made.LISTENING)
WAITS = frame("accept4", 3, result=None, event="waits", snapshot=LISTENING, before=LISTENING)
ACCEPT = frame("accept4", 3, result=4, snapshot=made.AFTER_ACCEPT, before=LISTENING)
FORK = frame("clone", 17, result=8, snapshot=made.AFTER_FORK, before=made.AFTER_ACCEPT)
CLOSE = frame("close", 4, snapshot=LISTENING, before=made.AFTER_ACCEPT)
ENDED = Frame(
    "client", "ended", 9, 9, made.snapshot(()), status=-15, before=made.snapshot((made.process(9),))
)
FILM = Film(
    "web: <b>", (EXEC, SOCKET, BIND, WAITS, ACCEPT, FORK, CLOSE, ENDED), ("server: it is cut",)
)


def test_what_changed_is_said() -> None:
    assert captions.changed(EXEC) == []
    assert captions.changed(SOCKET) == [
        "descriptor 3 stands for socket 34",
        "socket 34 is new, its addresses and ports are empty",
    ]
    assert captions.changed(BIND) == ["socket 34: local 0.0.0.0 port 80"]
    assert captions.changed(WAITS) == []
    assert captions.changed(ACCEPT) == [
        "descriptor 4 stands for socket 35",
        "socket 35 is new, with 10.0.0.1 port 80 → 10.0.0.2 port 4000",
    ]
    assert captions.changed(FORK) == [
        "process 8 is new; its descriptors 3, 4 stand for the same sockets as its parent's"
    ]
    assert captions.changed(CLOSE) == ["descriptor 4 is free again", "socket 35 is gone"]
    assert captions.changed(ENDED) == ["process 9 is gone"]


def test_several_changes_of_one_socket_are_one_phrase() -> None:
    closed = replace(made.ACCEPTED, inode=0, state="FIN-WAIT-1", send_queue=1)
    before = replace(made.ACCEPTED, send_queue=0)
    one = frame(
        "close",
        3,
        snapshot=made.snapshot((made.process(7),), closed),
        before=made.snapshot((made.process(7, 35),), before),
    )
    assert captions.changed(one) == [
        "descriptor 3 is free again",
        "socket 35 belongs to no process any more",
        "the connection: ESTABLISHED → FIN-WAIT-1, send queue 0 → 1 byte",
    ]


def test_a_dup_names_the_other_number() -> None:
    both = made.snapshot((made.process(7, 34, 34),), made.NEW)
    one = frame("dup", 3, result=4, snapshot=both, before=made.AFTER_SOCKET)
    assert captions.changed(one) == ["descriptor 4 stands for socket 34, as 3 does"]


def test_flags_of_a_descriptor_are_said() -> None:
    entry = made.process(7, 34)
    flagged = replace(
        entry,
        descriptors=(*entry.descriptors[:3], Descriptor(3, "socket", inode=34, nonblocking=True)),
    )
    one = frame(
        "fcntl", 3, 4, snapshot=made.snapshot((flagged,), made.NEW), before=made.AFTER_SOCKET
    )
    assert captions.changed(one) == ["descriptor 3 is O_NONBLOCK"]


def test_headings() -> None:
    assert captions.heading(EXEC) == 'execve("", ["web", "80"], ...) = 0'
    assert captions.heading(WAITS).endswith("waits: it has not returned yet")
    assert captions.heading(ENDED) == "process 9 was ended by SIGTERM"
    assert captions.heading(replace(ENDED, status=0)) == "process 9 has ended with exit code 0"
    repeated = frame("sendto", 4, 0, 10, result=10, times=812, moved=8120)
    assert captions.heading(repeated).endswith(" = 10   × 812, 8,120 bytes in all")


def test_text_has_each_frame_and_marks_what_changed() -> None:
    lines = [line.plain for line in text.draw(FILM, 90)]
    heads = [line for line in lines if line.startswith("━━ ")]
    assert [head.split()[1:3] for head in heads] == [
        *([f"{n}/8", "server"] for n in range(1, 8)),
        ["8/8", "client"],
    ]
    assert all(len(head) >= 90 for head in heads)
    assert any(re.match(r"│\*3  socket 34", line) for line in lines)
    assert any("*local port      80" in line for line in lines)
    assert lines[-1] == "note: server: it is cut"


def test_an_empty_film_says_so() -> None:
    lines = [line.plain for line in text.draw(Film("nothing", ()), 90)]
    assert lines == ["nothing", "no program has made a call on a socket"]


def test_json_has_one_object_a_frame() -> None:
    *told, notes = asjson.as_json(FILM)
    assert json.loads(json.dumps(told))
    assert notes == {"notes": ["server: it is cut"]}
    assert list(told[1]) == [
        *("frame", "event", "pid", "tid", "text", "call", "times", "moved", "status", "changes"),
        *("host", "time", "processes", "sockets", "notes"),
    ]
    assert told[1]["call"]["name"] == "socket"
    assert told[1]["call"]["result"] == 3
    assert told[3]["call"]["result"] is None
    assert told[7]["call"] is None
    assert [one["frame"] for one in told] == list(range(1, 9))


class Page(HTMLParser):
    """The elements of a page, and what stands in its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def test_the_page_needs_nothing_else_and_has_all_frames() -> None:
    evil = Process(7, 1, "</script><img src=x>", ("<b>",), "ann", "S", ())
    film = Film(FILM.title, (*FILM.frames, replace(BIND, snapshot=made.snapshot((evil,)))))
    page = html.draw(film)
    parsed = Page(page)
    names = {tag for tag, _ in parsed.tags}
    assert names.isdisjoint({"img", "link", "iframe", "b"})
    assert not [attrs for _, attrs in parsed.tags if "src" in attrs]
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    data = json.loads(parsed.scripts[0])
    assert data["hosts"] == ["server", "client"]
    assert len(data["frames"]) == len(film.frames)
    assert data["frames"][2]["sockets"][0]["structure"][2] == [
        *("local address", "0.0.0.0 (any)", True)
    ]
    assert data["frames"][1]["tables"][0]["rows"][3]["socket"] == 34
    assert "{{" not in page


def test_a_unix_socket_and_an_address_without_port_are_said() -> None:
    unix = replace(made.NEW, family="AF_UNIX", local=SocketAddress("@x"))
    one = frame(
        "bind",
        3,
        snapshot=made.snapshot((made.process(7, 34),), unix),
        before=made.snapshot((made.process(7, 34),), replace(unix, local=SocketAddress())),
    )
    assert captions.changed(one) == ["socket 34: local @x"]
