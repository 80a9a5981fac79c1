"""The parsers on what the kernel does not say: no crash but an error that tells."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import MachineError
from labctl.observe.sockets import inet, proc, snapshot, tcpinfo, unix
from labctl.observe.sockets.fields import Malformed, attributes
from labctl.observe.sockets.model import KernelSocket

from .recorded import ANSWER, messages

MESSAGES = messages()


def read(kind: str, message: bytes) -> KernelSocket:
    return unix.read(message) if kind == "unix" else inet.read(message, kind)


@given(st.sampled_from(MESSAGES), st.integers(0, 500))
def test_a_message_that_was_cut_is_read_or_refused(told: tuple[str, bytes], length: int) -> None:
    kind, message = told
    cut = message[:length]
    try:
        assert read(kind, cut).inode == read(kind, message).inode
    except Malformed:
        assert len(cut) < len(message)


@given(
    st.sampled_from(MESSAGES),
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_message_with_other_bytes_is_read_or_refused(
    told: tuple[str, bytes], others: list[tuple[int, int]]
) -> None:
    kind, message = told
    changed = bytearray(message)
    for at, value in others:
        changed[at % len(message)] = value
    with suppress(Malformed):
        assert isinstance(read(kind, bytes(changed)), KernelSocket)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(block: bytes) -> None:
    for of in (attributes, tcpinfo.read, tcpinfo.state, unix.read):
        with suppress(Malformed):
            of(block)


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_descriptor_is_something(link: str, info: str) -> None:
    one = proc.descriptor(7, link, info)
    assert one.fd == 7
    assert one.kind


@pytest.mark.parametrize(
    ("link", "kind", "target"),
    [
        ("/srv/files/a b (deleted)", "file", "/srv/files/a b (deleted)"),
        ("anon_inode:[eventfd]", "eventfd", ""),
        ("anon_inode:inotify", "inotify", ""),
        ("pipe:[12]", "pipe", ""),
        ("socket:[12] ", "file", "socket:[12] "),
        ("/dev/pts/0", "file", "/dev/pts/0"),
    ],
)
def test_links(link: str, kind: str, target: str) -> None:
    one = proc.descriptor(0, link, "")
    assert (one.kind, one.target) == (kind, target)


def test_what_makes_no_sense_is_an_error_of_two_lines() -> None:
    answer = {**ANSWER, "messages": {"tcp": [base64.b64encode(b"short").decode()]}}
    with pytest.raises(MachineError, match="host web tells of its sockets") as caught:
        snapshot.read("web", answer)
    assert caught.value.hint


def test_a_socket_that_may_not_be_borrowed_is_known_by_its_protocol() -> None:
    alone = {"12": {"name": "TCPv6", "busy": False}, "13": {"name": "VSOCK", "busy": True}}
    told = snapshot.read("web", {**ANSWER, "messages": {}, "details": alone})
    tcp, other = told.sockets
    assert (tcp.family, tcp.type, tcp.protocol) == ("AF_INET6", "SOCK_STREAM", "tcp")
    assert (other.family, other.type, other.protocol) == ("", "", "vsock")
    assert tcp.options is None
    assert any("pidfd_getfd" in note for note in told.notes)
    busy = snapshot.read("web", {**ANSWER, "details": {"13": alone["13"]}})
    assert busy.notes == ()
