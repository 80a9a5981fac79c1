"""The report of what is not as wanted: both sequences side by side, and what it means."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

from labctl.sequence.events import Call, Endpoint
from labctl.sequence.pattern import match
from labctl.sequence.pattern.show import call_text, connection_text
from tests.unit.sequence.pattern.made import Clock, Told, call, connection

SERVER = ["socket", "bind", "listen", "accept", "recv+", "send+", "close"]


def report(pattern: dict[str, Any], **made: Any) -> str:
    return str(match(pattern, Told(connection(**made))))


def is_text(found: str, wanted: str, *meaning: str) -> None:
    """Compare a report with its lines; `meaning` are those of its sentence, without indent."""
    lines = textwrap.dedent(wanted).strip("\n").splitlines()
    assert found.splitlines() == [*lines, *(f"  {line}" for line in meaning)]


def test_the_first_difference_is_marked_and_explained() -> None:
    is_text(
        report({"server": SERVER}, server="socket listen bind=EINVAL accept recv=5 send=5 close"),
        """
        not as the pattern says: 1 of 1 connection

        server, connection 1: client 10.0.0.1:40000 -> server 10.0.0.2:80, tcp, established
            wanted   server did
            socket   socket = 0      0.000 ms
          > bind     listen          0.020 ms
            listen   bind = EINVAL   0.040 ms
            accept   accept = 0      0.060 ms
            recv+    recv = 5        0.080 ms
            send+    send = 5        0.100 ms
            close    close           0.120 ms
        """,
        "bind was called after listen: the kernel had already given the socket an ephemeral port, "
        "and bind",
        "then fails with EINVAL (bind(2)).",
    )


def test_repetitions_fold_and_a_call_that_never_returned_is_shown() -> None:
    is_text(
        report(
            {"server": SERVER},
            server="socket bind listen accept recv=5 recv=9 recv=5 recv=5 recv=5 recv=blocked",
        ).partition("\n\n")[2],
        """
        server, connection 1: client 10.0.0.1:40000 -> server 10.0.0.2:80, tcp, established
            wanted   server did
            socket   socket = 0             0.000 ms
            bind     bind                   0.020 ms
            listen   listen                 0.040 ms
            accept   accept = 0             0.060 ms
            recv+    recv x 5 (29 bytes)    0.080 ms
          > send+    (nothing more)
            close    recv, never returned   0.180 ms
        """,
        "server still waited in recv where it should have sent: if client waits for that, each "
        "waits for",
        "the other for ever.",
    )


def test_segments_side_by_side() -> None:
    is_text(
        report(
            {"wire": ["SYN", "SYN-ACK", "ACK", "data+", "FIN", "FIN"]},
            wire="c>SYN s>SYN-ACK c>ACK c>data c>data c>data c>data s>data s>ACK c>data! s>RST",
        ).partition("\n\n")[2],
        """
        wire, connection 1: client 10.0.0.1:40000 -> server 10.0.0.2:80, tcp, established
            wanted    on the wire
            SYN       client > SYN                             0.000 ms
            SYN-ACK   server > SYN-ACK                         0.020 ms
            ACK       client > ACK                             0.040 ms
            data+     client > data x 4 (28 bytes)             0.060 ms
                      server > data (7 bytes)                  0.140 ms
                      client > data (7 bytes), never arrived   0.180 ms
          > FIN       server > RST                             0.190 ms
            FIN
          The connection was reset instead of closed: one side closed with unread data, closed with
          SO_LINGER 0, or sent to a socket that was gone already.
        """,
    )


def test_long_sequences_are_cut_in_the_middle_and_at_the_end() -> None:
    pattern = {"server": ["socket", "(recv send)+", "close"], "protocol": "tcp"}
    lines = report(pattern, server="socket " + "recv=5 send=5 " * 20 + "recv=5 close").splitlines()
    assert sum(line.split() == ["...", "...", "18", "rows", "like", "these"] for line in lines) == 1
    assert sum(line.startswith("  > (recv send)+ (goes on)   close") for line in lines) == 1
    assert len(lines) < 40
    pattern = {"server": ["socket", "close"], "protocol": "tcp"}
    lines = report(pattern, server="socket " + "recv=5 send=5 " * 20).splitlines()
    assert "... and 30 more" in lines[-2]
    assert len(lines) < 20


def test_elements_that_nothing_needed_to_match_are_shown_too() -> None:
    pattern = {"client": ["socket", "bind?", "connect", "(setsockopt|fcntl)*", "send", "close"]}
    shown = report(pattern, client="socket connect send=5 recv=5").splitlines()
    assert [line[4:24].rstrip() for line in shown[3:]][:7] == [
        "wanted                s"[:20].rstrip(),
        "socket",
        "bind?",
        "connect",
        "(setsockopt|fcntl)*",
        "send",
        "close",
    ]
    assert shown[9].startswith("  > close")


def test_the_parts_of_one_text_are_told_one_by_one() -> None:
    told = Told(connection(server="socket bind accept=EINVAL"))
    listed = match({"server": SERVER}, told)
    assert str(match({"server": " ".join(SERVER)}, told)) == str(listed)
    assert repr(listed) == "<Verdict: not as the pattern says: 1 of 1 connection>"


def test_where_the_pattern_has_ended() -> None:
    lines = report({"client": ["socket", "connect"]}, client="socket connect close").splitlines()
    assert lines[6] == "  > (nothing more)   close        0.040 ms"


def test_alike_connections_are_told_once() -> None:
    made = [connection(server="socket close", number=n) for n in range(1, 1002)]
    said = str(match({"server": SERVER}, Told(*made)))
    assert said.startswith("not as the pattern says: 1,001 of 1,001 connections\n")
    assert said.endswith("\n  and 1,000 more connections like it")
    assert said.count("wanted") == 1


def test_failures_that_are_about_no_connection() -> None:
    verdict = match({"server": ["listen"], "connections": 2}, Told())
    assert str(verdict).startswith("not as the pattern says (0 connections seen)\n\nconnections\n")


def test_the_words_for_a_call() -> None:
    def shown(word: str, **more: Any) -> str:
        return call_text(call("client", word, Clock(), **more))

    to = {"args": {"address": "10.0.0.2:80"}}
    assert shown("connect", **to) == "connect 10.0.0.2:80"
    assert shown("connect=ECONNREFUSED", **to) == "connect 10.0.0.2:80 = ECONNREFUSED"
    assert shown("accept4=7", **to) == "accept4 10.0.0.2:80 = 7"
    assert shown("accept=blocked") == "accept, never returned"
    assert shown("read=0") == "read = 0 (end of file)"
    assert shown("sendto=0") == "sendto = 0"


def test_the_words_for_a_connection() -> None:
    made = connection("socket", "socket", hosts=("client", None))
    made = replace(made, client=replace(made.client, endpoint=None), outcome="unanswered")
    assert connection_text(made) == "connection 1: client -> 10.0.0.2:80, tcp, unanswered"
    nobody = replace(made, client=replace(made.client, host=None))
    assert connection_text(nobody).startswith("connection 1: unknown -> ")
    long = replace(made, server=replace(made.server, endpoint=Endpoint("2001:db8::1", 80)))
    assert "-> [2001:db8::1]:80" in connection_text(long)


def test_all_times_count_from_the_first_event() -> None:
    made = connection(server="socket bind close")
    (failure,) = match({"server": SERVER}, Told(made)).failures
    assert failure.difference is not None
    event = failure.difference.tokens[0].event
    assert isinstance(event, Call) and failure.zero == event.start
