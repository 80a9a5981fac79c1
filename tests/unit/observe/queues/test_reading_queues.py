"""What an agent wrote down, cut off or made up by a kernel of another kind."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import MachineError
from labctl.observe.queues import reading
from labctl.observe.sockets.names import AF_INET

RECORD = struct.Struct("=QBxH")
MESSAGE = struct.Struct("=4B2s2s16s16sIQ5I")
MEMINFO = struct.Struct("=HH9I")


def record(time: int, receive: int, send: int, timer: int = 0, protocol: int = 6) -> bytes:
    """What the agent writes of a socket with these queues (inet_diag_msg)."""
    ports = (40000).to_bytes(2, "big"), (9100).to_bytes(2, "big")
    addresses = bytes([10, 0, 0, 1]).ljust(16, b"\0"), bytes([10, 0, 0, 2]).ljust(16, b"\0")
    head = (AF_INET, 1, timer, 0, *ports, *addresses, 0, 77, 1200, receive, send, 1000, 5)
    memory = MEMINFO.pack(MEMINFO.size, 7, receive + 100, 65536, 0, 32768, 0, send + 100, 0, 0, 3)
    message = MESSAGE.pack(*head) + memory
    return RECORD.pack(time, protocol, len(message)) + message


def test_each_record_is_a_level() -> None:
    content = record(1, 0, 0) + record(2, 50, 0) + record(3, 50, 70, timer=4)
    (one,) = reading.read("a", content)
    assert (one.host, one.protocol, one.key, one.gone) == ("a", "tcp", "cookie:77", None)
    assert (str(one.local), str(one.remote)) == ("10.0.0.1:40000", "10.0.0.2:9100")
    assert [(x.time, x.receive_queue, x.send_queue) for x in one.levels] == [
        (1, 0, 0),
        (2, 50, 0),
        (3, 50, 70),
    ]
    last = one.levels[-1]
    assert (last.receive_memory, last.send_memory) == (150, 170)
    assert (last.receive_buffer, last.send_buffer, last.dropped) == (65536, 32768, 3)
    assert [x.probing for x in one.levels] == [False, False, True]


def test_the_end_of_a_socket_is_written_too() -> None:
    first = record(1, 0, 0)
    identity = first[RECORD.size : RECORD.size + 52]
    content = first + RECORD.pack(9, 6 | 0x80, len(identity)) + identity
    (one,) = reading.read("a", content)
    assert one.gone == 9


def test_sockets_of_the_two_protocols_are_told_apart() -> None:
    found = reading.read("a", record(1, 0, 0) + record(2, 5, 0, protocol=17))
    assert [one.protocol for one in found] == ["tcp", "udp"]


@given(st.integers(min_value=0, max_value=2 * len(record(1, 0, 0))))
def test_what_was_cut_off_at_the_end_is_left_out(length: int) -> None:
    content = (record(1, 0, 0) + record(2, 9, 0))[:length]
    whole = length // len(record(1, 0, 0))
    assert sum(len(one.levels) for one in reading.read("a", content)) == whole


def test_a_kernel_of_another_kind_is_told_apart() -> None:
    for content in (RECORD.pack(1, 6, 3) + b"abc", RECORD.pack(1, 99, 72) + b"\0" * 72):
        with pytest.raises(MachineError, match="queues in an unknown form"):
            reading.read("a", content)
