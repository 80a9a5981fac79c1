"""The commands that put a link in force."""

from __future__ import annotations

import subprocess

import pytest

from labctl.lab.link import Link
from labctl.link.queueing import LEAST_BURST, burst, script


def link(**told: object) -> Link:
    return Link.model_validate(told)


def lines(one: Link, netem: bool) -> list[str]:
    """Return the commands for one link, without those that find its interface."""
    return script({"10.0.0.2": one}, netem).splitlines()[3:]


def test_the_interface_is_found_by_its_address() -> None:
    told = script({"10.0.0.2": link(rate="1mbit"), "10.0.1.2": link(rate="2mbit")}, False)
    assert "ip -o -4 address show to 10.0.0.2" in told
    assert "ip -o -4 address show to 10.0.1.2" in told
    assert told.startswith("set -e\n")


def test_a_rate_alone_is_a_token_bucket() -> None:
    expected = (
        'tc qdisc replace dev "$dev" root handle 1: tbf rate 40000000bit burst 20000b latency 50ms'
    )
    assert lines(link(rate="40mbit"), netem=False) == [expected]
    assert lines(link(rate="40mbit"), netem=True) == [expected]


def test_delay_and_loss_are_netems_with_the_bucket_below() -> None:
    told = lines(link(rate="40mbit", delay="20ms", loss="1.5%"), netem=True)
    assert told[0].endswith("root handle 1: netem limit 100000 delay 20ms loss 1.5%")
    assert "gso_max_segs 1" in told[1]
    assert "parent 1: handle 10: tbf rate 40000000bit" in told[2]


def test_loss_without_netem_is_a_black_hole() -> None:
    told = "\n".join(lines(link(loss="25%"), netem=False))
    assert "netem" not in told
    assert "parent 1:2 handle 20: blackhole" in told
    assert "--probability 0.250000000 -j CLASSIFY --set-class 1:2" in told
    assert "tbf" not in told
    both = "\n".join(lines(link(loss="25%", rate="8mbit"), netem=False))
    assert "parent 1:1 handle 10: tbf rate 8000000bit" in both


def test_a_bucket_holds_a_tick_of_its_rate_and_never_less_than_some_segments() -> None:
    assert burst(8_000) == LEAST_BURST
    assert burst(1_000_000_000) == 500_000


@pytest.mark.parametrize("netem", [True, False])
def test_the_script_is_one_that_a_shell_can_read(netem: bool) -> None:
    told = script({"10.0.0.2": link(rate="1mbit", delay="1ms", loss="1%")}, netem)
    subprocess.run(["sh", "-n"], input=told, text=True, check=True)


def test_an_address_that_no_interface_has_ends_it() -> None:
    told = script({"192.0.2.77": link(rate="1mbit")}, False)
    stub = f"ip() {{ :; }}\n{told}"
    done = subprocess.run(["sh", "-c", stub], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no interface has the address 192.0.2.77" in done.stderr
