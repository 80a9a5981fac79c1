"""The lab syscalls, checked on its hosts: how programs cross into the kernel, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labctl.play.crossing import Crossed
from labctl.play.under_test import LabUnderTest
from labctl.sequence.crossings import Crossings, findings

SIZE = 20_000
Host = Callable[[str], Any]


def reads_and_writes(process: Crossings) -> tuple[int, int]:
    """Return how often a process read and wrote, also as Python started in it."""
    return process.kind("read").calls, process.kind("write").calls


def wrong_with(process: Crossings) -> list[str]:
    """Return what is wrong with how a process crosses, as sentences."""
    return [one.sentence for one in findings([process])]


def test_both_hosts_run_as_an_ordinary_user(host: Host) -> None:
    for name in ("machine", "peer"):
        assert host(name).check_output("id -u") == "1000"


def test_the_server_is_bound_and_waits(host: Host) -> None:
    assert host("machine").socket("udp://0.0.0.0:9000").is_listening


@pytest.mark.parametrize("buffer", ["1", "7", "100", "65536"])
def test_a_copy_is_the_same_whatever_the_buffer(lab: LabUnderTest, buffer: str) -> None:
    whole = "/opt/netprog/command.py"
    assert lab.exec("machine", "copy_file", whole, "copy", "--buffer", buffer).code == 0
    assert lab.exec("machine", "cmp", whole, "copy").code == 0


@pytest.mark.scenario("processes")
def test_every_process_of_the_scenario_is_there(crossings: Crossed) -> None:
    programs = {(one.host, one.name) for one in crossings.processes}
    machine = ("udp_server", "dd", "copy_file", "factor", "cmp")
    assert programs == {
        *(("machine", name) for name in machine),
        ("peer", "sleep"),
        ("peer", "udp_client"),
    }
    for one in crossings.processes:
        assert one.inside + one.outside == pytest.approx(one.lifetime, rel=0.001)
        assert one.ended == (one.name not in ("udp_server", "sleep"))


@pytest.mark.scenario("processes")
def test_a_buffer_of_one_byte_makes_the_kernel_work_longer(crossings: Crossed) -> None:
    by_bytes = crossings.process("machine", "copy_file", "by-bytes")
    by_blocks = crossings.process("machine", "copy_file", "by-blocks")
    # What Python does as it starts is the same for both, and no matter of the buffer.
    work = [
        sum(one.kind(name).inside - one.kind(name).waiting for name in ("read", "write"))
        for one in (by_bytes, by_blocks)
    ]
    assert work[0] > 2 * work[1]
    assert by_bytes.working > by_blocks.working
    assert wrong_with(by_blocks) == []
    (sentence,) = [one for one in wrong_with(by_bytes) if " write " in one]
    assert sentence.startswith("20,001 calls of write for 20,025 bytes: 1 byte a crossing")


@pytest.mark.scenario("processes")
def test_a_program_that_computes_makes_no_call_while_it_does(crossings: Crossed) -> None:
    factor = crossings.process("machine", "factor")
    assert factor.calls < 200
    assert factor.outside > factor.working
    assert wrong_with(factor) == []


@pytest.mark.scenario("processes")
def test_a_program_that_waits_is_in_the_kernel_and_does_nothing(crossings: Crossed) -> None:
    server = crossings.process("machine", "udp_server")
    received = server.kind("recvfrom")
    assert (received.calls, received.unreturned) == (2, 1)
    assert received.waiting > 0.99 * received.inside
    assert server.threads == 2  # the second one waits for SIGTERM
    assert server.kind("read").unreturned == 1
    assert wrong_with(server) == []


@pytest.mark.scenario("processes")
def test_how_often_a_copy_crosses_is_the_size_divided_by_the_buffer(crossings: Crossed) -> None:
    counts = {
        size: reads_and_writes(crossings.process("machine", "copy_file", size))
        for size in ("1", "100", "65536")
    }
    reads, writes = counts["65536"]
    assert counts["100"] == (reads + SIZE // 100 - 1, writes + SIZE // 100 - 1)
    assert counts["1"] == (reads + SIZE - 1, writes + SIZE - 1)


@pytest.mark.scenario("broken")
def test_a_copy_that_ignores_its_buffer_is_rejected(crossings: Crossed) -> None:
    copy = crossings.process("machine", "copy_file.py")
    assert f"20,000 calls of write for {SIZE:,} bytes: 1 byte a crossing" in wrong_with(copy)


@pytest.mark.scenario("broken")
def test_a_receiver_that_does_not_wait_is_rejected(crossings: Crossed) -> None:
    receiver = crossings.process("machine", "receive.py")
    (sentence,) = wrong_with(receiver)
    assert sentence.startswith("recvfrom failed with EAGAIN")
    assert sentence.endswith("it asks again and again instead of waiting")
    assert receiver.kind("recvfrom").moved == len("echo hello")
