"""Whatever hosts, programs and peers say: no output breaks, none lets anything through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labctl.sequence.events import Notice
from labctl.sequence.recording import ObservedHost, Recording
from labctl.sequence.timeline import Timeline
from labctl.show.figure import html, mermaid, svg, text
from labctl.show.figure.layout import layout
from tests.unit.sequence.exchanges import exchange
from tests.unit.show.figure.reading import crossing, outside, parsed
from tests.unit.show.figure.test_html import Page
from tests.unit.show.figure.test_mermaid import check

SIGNS = (
    "</script>\"'&;#:%{}[]\\\n\r\t\x00\x1b\x7f\x85\u200b\u202e\u2066\ufeff\ufffe\ud800漢é😀e\u0301"
)
WORDS = st.text(st.one_of(st.sampled_from(SIGNS), st.characters()), max_size=40)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 2**40), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=4,
)


@st.composite
def recordings(draw: Callable[..., Any]) -> Recording:
    """An exchange in which everything that others name or say is anything."""
    made = exchange(subordinates=draw(st.booleans()))
    names = {host.name: draw(WORDS.filter(bool)) + f" {n}" for n, host in enumerate(made.hosts)}

    def at(event: Any) -> Any:
        return replace(event, host=names[event.host])

    def seen(sighting: Any) -> Any:
        return sighting and sighting._replace(host=names[sighting.host], network=said)

    said = draw(WORDS)
    args = draw(st.dictionaries(WORDS, VALUES, max_size=2))
    return replace(
        made,
        title=draw(WORDS),
        tracer=draw(WORDS),
        hosts=tuple(
            ObservedHost(names[h.name], h.addresses, {10: draw(WORDS), 100: draw(WORDS)})
            for h in made.hosts
        ),
        calls=tuple(replace(at(call), args={**call.args, **args}) for call in made.calls),
        segments=tuple(
            replace(s, sent=seen(s.sent), received=seen(s.received), data=said)
            for s in made.segments
        ),
        processes=tuple(map(at, made.processes)),
        notices=(Notice(draw(WORDS), draw(WORDS)),),
    )


@given(recordings(), st.integers(80, 200))
def test_no_output_breaks(recording: Recording, width: int) -> None:
    figure = layout(Timeline.of(recording))
    picture = parsed(svg.draw(figure))
    assert crossing(picture) == []
    assert outside(picture) == []
    read = Page(html.draw(figure))
    assert read.open == []
    assert len(read.inside["script"]) == 2
    check(mermaid.draw(figure))
    for ascii_only in (False, True):
        drawn = text.draw(figure, width=width, ascii_only=ascii_only)
        assert all(char.isprintable() or char == "\n" for char in drawn)
        assert drawn.isascii() or not ascii_only
        drawn.encode()


def test_a_title_that_does_not_print_is_cut_to_its_room() -> None:
    recording = replace(exchange(), title="\U0003134b\x1f" * 30)
    assert outside(parsed(svg.draw(layout(Timeline.of(recording))))) == []
