"""The figure in characters: recognisable, within the width, in ASCII where it must be."""

from __future__ import annotations

import re

import pytest

from labctl.show.figure import text
from labctl.show.figure.labels import arrow_label
from labctl.show.figure.layout import layout
from tests.unit.show.figure.recordings import ALL, timeline

HANDSHAKE = """\
                                 server                     client
                                10.0.0.2                   10.0.0.1
                                 pid 10                     pid 100
0.000 ms         socket(stream) = 3 #                          |
0.020           bind(3, 0.0.0.0:80) #                          |
0.040                  listen(3, 5) #                          |
0.050                               #                          # socket(stream) = 3
0.080                               |            SYN ----------# connect(3, 10.0.0.2:80), 70 us
0.100                               |<-----------'             :
0.110                               |-------- SYN+ACK          :
0.120                               |            `------------>:
0.130                               |            ACK ----------:
0.140                               |<-----------'             #
0.160                 accept(3) = 4 #                          |
"""


def test_the_handshake_of_figure_6_30() -> None:
    lines = text.draw(timeline("exchange"), width=96, ascii_only=True).splitlines()
    # A dot is drawn where a line goes on in the next one: of no weight here.
    drawn = "\n".join(line.replace(".-", "--") for line in lines[2:16])
    assert _squeezed(drawn) == _squeezed(HANDSHAKE)


def _squeezed(drawn: str) -> list[str]:
    """Return lines in which only the order of signs counts, not how far they are apart."""
    return [re.sub(r"-+", "-", " ".join(line.split())) for line in drawn.splitlines()]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [80, 120, 200])
def test_each_call_has_a_label_and_each_arrow_its_words(name: str, width: int) -> None:
    figure = layout(timeline(name))
    drawn = text.draw(figure, width=width)
    words = drawn.replace("│", " ").replace("┃", " ").replace("┇", " ")
    for arrow in figure.arrows:
        assert arrow_label(arrow).split()[0].rstrip(",") in words
    wanted = sum(len(re.findall(r"\baccept", str(bar.calls[0].name))) for bar in figure.bars)
    assert len(re.findall(r"\baccept\b", words)) == wanted
    heads = drawn.count("▶") + drawn.count("◀") + drawn.count("✕")
    forks = sum(mark.kind == "fork" for mark in figure.marks)
    assert heads >= len(figure.arrows) + forks


@pytest.mark.parametrize("name", [name for name in ALL if name != "four"])
@pytest.mark.parametrize("width", [110, 140, 200])
def test_lines_are_no_longer_than_the_width(name: str, width: int) -> None:
    figure = layout(timeline(name))
    body = text.draw(figure, width=width).split("\n\n\n")[0]
    assert max(map(len, body.splitlines())) <= width
    assert text.width_of(figure, width) == width


@pytest.mark.parametrize("name", ["exchange", "datagrams", "refused", "lost", "big", "napster"])
def test_two_to_five_hosts_fit_an_old_terminal(name: str) -> None:
    assert text.width_of(layout(timeline(name)), 80) <= 80


@pytest.mark.parametrize("name", ALL)
def test_ascii_is_ascii(name: str) -> None:
    drawn = text.draw(timeline(name), width=120, ascii_only=True)
    assert drawn.isascii()
    assert "?" not in drawn


def test_long_repetitions_are_one_bar_and_say_how_many() -> None:
    drawn = text.draw(timeline("big"), width=120)
    assert "sendfile × 812, 47 MB" in drawn
    assert "data × ≈32,480, 47 MB" in drawn
    assert "ACK × 406" in drawn
    assert "● ESTABLISHED" in drawn


def test_a_lost_segment_ends_in_a_cross_and_the_pause_is_cut_short() -> None:
    drawn = text.draw(timeline("lost"), width=120)
    assert "✕" in drawn
    assert "data 500 B, lost" in drawn
    assert "data 500 B again" in drawn
    assert "⋮ 201 ms" in drawn


def test_a_call_that_failed_or_never_returned_says_so() -> None:
    drawn = text.draw(timeline("refused"), width=140)
    assert "connect(3, 10.0.0.2:80) ECONNREFUSED, blocked" in drawn
    assert "accept(3), never returned" in drawn
    assert "exit 1" in drawn


def test_colours_only_where_they_are_asked_for() -> None:
    shown = timeline("refused")
    assert "\x1b" not in text.draw(shown)
    coloured = text.coloured(shown)
    assert coloured.plain.split() == text.draw(shown).split()
    assert {"cyan", "red"} <= {str(span.style) for span in coloured.spans}


def legend(name: str, ascii_only: bool = False) -> str:
    drawn = text.draw(timeline(name), width=120, ascii_only=ascii_only)
    return drawn.split("\n\n")[-1].partition("\nTCP")[0].strip()


def test_the_legend_has_the_signs_that_are_there() -> None:
    assert legend("napster").startswith("○ router   ┇ waits")
    assert "M main process   S1 subordinate" in legend("subordinates")
    assert "≈ segments counted from the MSS" in legend("big")
    assert "~ segments counted from the MSS" in legend("big", ascii_only=True)
    assert "✕ lost" in legend("lost")
    assert "≈" not in legend("lost")
    assert "router" not in legend("exchange")
