"""The segments of a connection against the elements of `wire`."""

from __future__ import annotations

import pytest

from labctl.sequence.pattern import Verdict, match
from tests.unit.sequence.pattern.made import Told, connection

WHOLE = "c>SYN s>SYN-ACK c>ACK c>data s>ACK s>data c>ACK s>FIN c>ACK c>FIN s>ACK"


def judged(wanted: str, wire: str, protocol: str = "tcp") -> Verdict:
    told = Told(connection(wire=wire, protocol=protocol))
    return match({"wire": wanted.split(", "), "protocol": protocol}, told)


def test_figure_6_30() -> None:
    assert judged("SYN, SYN-ACK, ACK, data+, FIN, FIN", WHOLE)
    assert judged(
        "client>SYN, server>SYN-ACK, client>ACK, client>data, server>data, server>FIN, client>FIN",
        WHOLE,
    )
    assert not judged("SYN, SYN-ACK, ACK, data+, client>FIN, server>FIN", WHOLE)
    assert not judged("SYN, SYN-ACK, ACK, data, FIN, FIN", WHOLE)


def test_acks_may_be_there_or_be_asked_for() -> None:
    assert judged("SYN, SYN-ACK, ACK, data, ACK, data, ACK, FIN, ACK, FIN, ACK", WHOLE)
    assert not judged("SYN, SYN-ACK, data+, FIN, ACK, ACK, FIN", WHOLE)
    piggybacked = "c>SYN s>SYN-ACK c>ACK c>data s>data s>FIN c>FIN s>ACK"
    assert judged("SYN, SYN-ACK, ACK, data, ACK?, data, FIN, FIN", piggybacked)
    assert not judged("SYN, SYN-ACK, ACK, data, ACK, data, FIN, FIN", piggybacked)


def test_the_handshake_has_three_segments_also_where_the_third_carries_data() -> None:
    assert judged("SYN, SYN-ACK, ACK, data, FIN", "c>SYN s>SYN-ACK c>data c>FIN")
    assert judged("SYN, SYN-ACK, ACK, FIN", "c>SYN s>SYN-ACK c>FIN")
    assert judged("SYN, SYN-ACK, RST", "c>SYN s>SYN-ACK c>RST")


def test_one_segment_may_carry_data_and_fin() -> None:
    assert judged("SYN, SYN-ACK, ACK, data, FIN, FIN", "c>SYN s>SYN-ACK c>ACK s>data+FIN c>FIN")


def test_what_is_repeated_does_not_count() -> None:
    assert judged(
        "SYN, SYN-ACK, ACK, data, FIN", "c>SYN! c>SYN~ s>SYN-ACK c>ACK c>data c>data~ s>FIN"
    )
    assert judged("SYN, SYN-ACK, ACK, data", "c>SYN s>SYN-ACK! s>SYN-ACK~ c>ACK c>data")


def test_a_reset_is_a_step() -> None:
    assert judged("SYN, RST", "c>SYN s>RST")
    assert judged("client>SYN, server>RST", "c>SYN s>RST")
    assert not judged("SYN, SYN-ACK, ACK", "c>SYN s>RST")


def test_datagrams_and_what_icmp_says_of_them() -> None:
    assert judged("client>datagram, server>datagram", "c>datagram s>datagram", "udp")
    assert judged("(client>datagram server>datagram?)+", "c>datagram c>datagram s>datagram", "udp")
    assert judged("datagram, port-unreachable", "c>datagram s>port-unreachable", "udp")
    assert judged("datagram, icmp", "c>datagram s>port-unreachable", "udp")
    assert not judged("datagram, time-exceeded", "c>datagram s>port-unreachable", "udp")


@pytest.mark.parametrize("about", ["net unreachable", "network unreachable for"])
def test_network_unreachable_under_both_its_names(about: str) -> None:
    made = connection(wire=f"c>datagram s>{about.replace(' ', '-')}", protocol="udp")
    assert match({"wire": ["datagram", "network-unreachable"]}, Told(made))


def test_each_connection_by_itself() -> None:
    good, bad = connection(wire="c>SYN s>RST"), connection(wire="c>SYN", number=2)
    verdict = match({"wire": ["SYN", "RST"]}, Told(good, bad, connection(wire="c>SYN", number=3)))
    assert (verdict.connections, verdict.failing, len(verdict.failures)) == (3, 2, 1)
    assert verdict.failures[0].connection is bad
    assert verdict.failures[0].more == 1
