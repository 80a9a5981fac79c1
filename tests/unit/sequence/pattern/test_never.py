"""Calls and segments that must never be."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.sequence.events import Endpoint, Notice
from labctl.sequence.pattern import match
from tests.unit.sequence.pattern.made import Told, calls, connection, socket

SERVER = "socket bind listen accept recv=5 close"


def test_what_never_was() -> None:
    told = Told(connection(server=SERVER, client="socket connect send=5 close"))
    assert match({"never": {"server": ["connect"], "client": ["bind", "listen|accept"]}}, told)


def test_what_was() -> None:
    told = Told(connection(server="socket bind connect connect", client="socket"))
    verdict = match({"never": {"server": ["connect"]}}, told)
    (failure,) = verdict.failures
    assert failure.subject == "never"
    assert failure.meaning == (
        "server should never call connect, but did at 0.040 ms: connect (2 times in all). connect "
        "is the active open, a client's; a server waits with listen and accept."
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("listen=EOPNOTSUPP", "EOPNOTSUPP: sockets of this type have no connections (SOCK_DGRAM)."),
        ("listen", "listen = 0"),
    ],
)
def test_a_failed_call_was_made_too(told: str, words: str) -> None:
    seen = Told(connection(server=f"socket bind {told}", protocol="udp", outcome="exchange"))
    (failure,) = match({"never": {"server": ["listen"]}, "protocol": "udp"}, seen).failures
    assert words.removesuffix(" = 0") in failure.meaning


def test_a_result_can_be_named() -> None:
    told = Told(connection(server="socket bind recv=0 close"))
    assert match({"never": {"server": ["recv=ECONNRESET"]}}, told)
    assert not match({"never": {"server": ["recv=0"]}}, told)
    told = Told(connection(server="socket bind recv=ECONNRESET close"))
    assert not match({"never": {"server": ["recv=ECONNRESET"]}}, told)
    assert not match({"never": {"server": ["recv=error"]}}, told)


def test_also_what_belongs_to_no_connection() -> None:
    stray = calls("server", "socket connect=ECONNREFUSED", socket=90)
    told = Told(stray=stray, sockets=[socket("server", 90)])
    assert not match({"never": {"server": ["connect"]}}, told)


def test_a_host_of_which_nothing_was_seen_proves_nothing() -> None:
    told = Told(connection(client="socket connect"))
    (failure,) = match({"never": {"server": ["connect"]}}, told).failures
    assert failure.meaning == (
        "No call of server was seen at all, so nothing can be said of what it never did."
    )


CUT = Notice(
    "server", "the trace of system calls was cut: it came to --max-bytes", None, ("calls",)
)
LOST = Notice("", "7 events of the kernel's found no room and are missing", None, ("calls",))
DROPPED = Notice("client", "7 packets came too fast to be captured", None, ("packets",))


@pytest.mark.parametrize(
    ("notice", "never", "place"),
    [
        (CUT, {"server": ["connect", "listen=error"]}, "connect or listen=error on server"),
        (LOST, {"server": ["connect"]}, "connect on server"),
        (DROPPED, {"wire": ["RST"]}, "RST on the wire"),
    ],
)
def test_what_was_not_seen_whole_proves_nothing(
    notice: Notice, never: dict[str, list[str]], place: str
) -> None:
    told = Told(connection(server=SERVER, wire="c>SYN"), notices=[notice])
    (failure,) = match({"never": never}, told).failures
    assert failure.subject == "never"
    assert failure.meaning == (
        f"Whether there never was {place} cannot be told, as not all was seen: "
        f"{'server: ' if notice is CUT else 'client: ' if notice is DROPPED else ''}{notice.text}."
    )


@pytest.mark.parametrize(
    ("notice", "never"),
    [
        (CUT, {"client": ["listen"], "wire": ["RST"]}),
        (DROPPED, {"server": ["connect"]}),
        (
            Notice("server", "it ended; all that happened until then was observed"),
            {"wire": ["RST"]},
        ),
    ],
)
def test_what_is_missing_elsewhere_does_not_matter(
    notice: Notice, never: dict[str, list[str]]
) -> None:
    told = Told(connection(server=SERVER, client="socket", wire="c>SYN"), notices=[notice])
    assert match({"never": never}, told)


def test_what_was_seen_is_certain_whatever_is_missing() -> None:
    told = Told(
        connection(server="socket bind connect", wire="c>SYN s>RST"), notices=[CUT, DROPPED]
    )
    failures = match({"never": {"server": ["connect"], "wire": ["RST"]}}, told).failures
    assert [one.meaning.partition(" but ")[0] for one in failures] == [
        "server should never call connect,",
        "RST should never be on the wire,",
    ]


@pytest.mark.parametrize(
    ("of_socket", "pattern"),
    [
        ({"family": "AF_UNIX"}, {}),  # a log daemon's, a name service's
        ({"type": "SOCK_DGRAM", "remote": Endpoint("127.0.0.11", 53)}, {}),  # a look-up of a name
        ({"type": "SOCK_DGRAM"}, {"protocol": "tcp"}),
    ],
)
def test_sockets_that_are_not_the_programs_own_business(
    of_socket: dict[str, Any], pattern: dict[str, Any]
) -> None:
    stray = calls("server", "socket connect", socket=90)
    told = Told(connection(server=SERVER), stray=stray, sockets=[socket("server", 90, **of_socket)])
    assert match({"never": {"server": ["connect"]}, **pattern}, told)


def test_reads_of_files_are_no_receiving() -> None:
    told = Told(connection(client="socket connect"), stray=calls("client", "read=5 write close"))
    assert match({"never": {"client": ["recv", "send", "close"]}}, told)
    told = Told(connection(client="socket connect"), stray=calls("client", "fork"))
    assert not match({"never": {"client": ["fork"]}}, told)


def test_segments() -> None:
    good = connection(wire="c>SYN s>SYN-ACK c>ACK c>FIN s>FIN")
    reset = [connection(wire="c>SYN s>RST", number=n) for n in (2, 3)]
    assert match({"never": {"wire": ["RST"]}}, Told(good))
    verdict = match({"never": {"wire": ["RST", "client>RST"]}}, Told(good, *reset))
    (failure,) = verdict.failures
    assert failure.meaning == (
        "RST should never be on the wire, but was there at 0.020 ms: server > RST."
    )
    assert (failure.connection, failure.more, verdict.failing) == (reset[0], 1, 2)
