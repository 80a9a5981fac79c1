"""The HTML page: whole, harmless, and in need of nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from labctl.sequence.diagnose.diagnosis import Diagnosis
from labctl.sequence.timeline import Timeline
from labctl.show.figure import html
from tests.unit.show.figure.recordings import refused, timeline

HOSTILE = "</script><script>alert(1)</script><!--\"'&\x00\x1b[31m\u202e\u2028\ud800{{data}}"


class Page(HTMLParser):
    """Reads a page: its elements, what stands in scripts, and whether all that opens closes."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    @property
    def data(self) -> Any:
        return json.loads(self.inside["script"][0])


def test_the_page_is_whole_and_asks_for_nothing() -> None:
    page = html.draw(timeline("exchange"))
    read = Page(page)
    assert read.open == []
    assert len(read.inside["script"]) == 2
    names = {name for _, attributes in read.elements for name in attributes}
    assert not names & {"src", "href", "srcset", "onclick", "onload"}
    assert set(re.findall(r"https?://[^\"' )]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|innerHTML|eval\(", page)
    assert "{{" not in page


def test_the_browser_may_run_the_pages_own_script_only() -> None:
    read = Page(html.draw(timeline("exchange")))
    policy = next(a["content"] for _, a in read.elements if "http-equiv" in a)
    digest = b64encode(sha256(read.inside["script"][1].encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy


def test_all_that_is_drawn_has_details() -> None:
    read = Page(html.draw(timeline("lost")))
    drawn = {a["id"] for _, a in read.elements if re.fullmatch(r"[ab]\d+", a.get("id") or "")}
    assert drawn == set(read.data["items"]) == set(read.data["order"])
    (send,) = [i for i in read.data["items"].values() if i["title"].startswith("send(3")]
    rows = dict(map(tuple, send["sections"][1]["rows"]))
    assert rows["data"] == "GET numbers.txt\\n"
    assert (rows["descriptor"], rows["result"]) == ("3", "500")
    again = read.data["items"]["a4"]
    rows = dict(map(tuple, again["sections"][1]["rows"]))
    assert (again["title"], rows["flags"]) == ("data 500 B again", "PSH ACK")
    assert rows["sent again"] == "yes, it was sent before"
    assert "client, network net" in rows["sent"]


def test_of_many_calls_the_first_and_the_last_are_told() -> None:
    data = Page(html.draw(timeline("big"))).data
    (many,) = [i for i in data["items"].values() if i["title"].startswith("sendfile ×")]
    assert len(many["sections"]) == 1 + 12 + 3
    assert many["more"] == "The first 12 and the last 3 of 812 calls are shown."


def test_findings_point_at_what_shows_them() -> None:
    shown = timeline("refused")
    call = next(call for call in shown.calls if call.name == "bind")
    rst = shown.recording.segments[1]
    finding = Diagnosis(
        "loopback-bound", "error", "server", call.start, "It is.", "Do.", (call, rst), (1,)
    )
    page = html.draw(shown, diagnoses=(finding,), verdict_text="not as the pattern says\n  > bind")
    data = Page(page).data
    (told,) = data["findings"]
    assert [data["items"][item]["title"] for item in told["items"]] == [
        "bind(3, 127.0.0.1:80)",
        "RST",
    ]
    assert data["verdict"] == "not as the pattern says\n  > bind"


def test_what_is_hostile_stays_text() -> None:
    recording = refused()
    calls = tuple(
        replace(call, args={**call.args, HOSTILE: HOSTILE, "data": HOSTILE})
        for call in recording.calls
    )
    shown = Timeline.of(replace(recording, title=HOSTILE, tracer=HOSTILE, calls=calls))
    finding = Diagnosis("zombie", "info", None, 0, HOSTILE, HOSTILE, (), ())
    page = html.draw(shown, diagnoses=(finding,), verdict_text=HOSTILE)
    read = Page(page)
    assert read.open == []
    assert len(read.inside["script"]) == 2
    assert [tag for tag, _ in read.elements].count("script") == 2
    assert not set(page) & set("\x00\x1b\u202e\u2028")
    page.encode()


def test_a_page_opens_at_a_size_that_can_be_read() -> None:
    (_, script) = Page(html.draw(timeline("napster"))).inside["script"]
    least = re.search(r"^const readable = ([\d.]+);$", script, re.MULTILINE)
    assert least is not None
    assert 0.7 <= float(least[1]) <= 1
    *_, opening = re.findall(r"^zoom\((.*)\);$", script, re.MULTILINE)
    assert opening == "Math.min(1, Math.max(readable, view.clientWidth / size.width))"
