"""Choosing subnets: free, disjoint, inside the pool."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.engine import pool
from labctl.errors import MachineError, UsageError

POOL = (IPv4Network("10.201.0.0/24"),)


def nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


def test_the_first_that_fit_are_chosen() -> None:
    assert pool.choose(POOL, [], [28, 28]) == nets("10.201.0.0/28", "10.201.0.16/28")


def test_taken_ones_are_left_out() -> None:
    taken = nets("10.201.0.0/28", "10.201.0.32/30", "192.168.0.0/16")
    assert pool.choose(POOL, taken, [28, 28]) == nets("10.201.0.16/28", "10.201.0.48/28")


def test_a_route_that_covers_the_pool_leaves_nothing() -> None:
    with pytest.raises(MachineError, match="no address space is left") as error:
        pool.choose(POOL, nets("10.0.0.0/8"), [28])
    assert error.value.exit_code == 3
    assert "labctl clean" in error.value.hint


def test_a_full_pool_goes_on_in_the_next() -> None:
    pools = nets("10.201.0.0/28", "10.202.0.0/28")
    assert pool.choose(pools, [], [28, 28]) == pools


def test_large_ones_get_room_before_small_ones() -> None:
    assert pool.choose(POOL, [], [28, 25, 25 + 1]) == nets(
        "10.201.0.192/28", "10.201.0.0/25", "10.201.0.128/26"
    )


networks = st.builds(
    lambda start, prefix: IPv4Network((start >> (32 - prefix) << (32 - prefix), prefix)),
    st.integers(int(IPv4Network("10.200.255.0/24")[0]), int(IPv4Network("10.201.2.0/24")[0])),
    st.integers(20, 32),
)


@given(st.lists(networks, max_size=30), st.lists(st.integers(25, 30), min_size=1, max_size=12))
def test_what_is_chosen_overlaps_nothing(taken: list[IPv4Network], prefixes: list[int]) -> None:
    try:
        chosen = pool.choose(POOL, taken, prefixes)
    except MachineError:
        return
    assert [c.prefixlen for c in chosen] == prefixes
    assert all(c.subnet_of(POOL[0]) for c in chosen)
    assert not any(c.overlaps(t) for c in chosen for t in taken)
    assert not any(a.overlaps(b) for a, b in combinations(chosen, 2))


@given(st.lists(networks, max_size=10), st.integers(25, 30))
def test_a_refusal_means_that_there_is_none(taken: list[IPv4Network], prefix: int) -> None:
    free = [s for s in POOL[0].subnets(new_prefix=prefix) if not any(s.overlaps(t) for t in taken)]
    if free:
        assert pool.choose(POOL, taken, [prefix]) == free[:1]
    else:
        with pytest.raises(MachineError):
            pool.choose(POOL, taken, [prefix])


ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_routes_are_read_without_the_default() -> None:
    assert pool.machine_routes(ROUTES) == nets("192.0.2.0/24", "172.17.0.0/16")


def test_the_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LABCTL_POOL", raising=False)
    assert pool.configured() == (IPv4Network(pool.DEFAULT_POOL),)
    pool.config_file().parent.mkdir()
    pool.config_file().write_text('pool = ["10.7.0.0/16", "10.8.0.0/16"]\n')
    assert pool.configured() == tuple(nets("10.7.0.0/16", "10.8.0.0/16"))
    monkeypatch.setenv("LABCTL_POOL", "10.9.0.0/24, 10.9.1.0/24")
    assert pool.configured() == tuple(nets("10.9.0.0/24", "10.9.1.0/24"))


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0.1/24", "fd00::/64", "x"])
def test_a_wrong_pool_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LABCTL_POOL", text)
    with pytest.raises(UsageError, match="LABCTL_POOL: not a range"):
        pool.configured()


@pytest.mark.parametrize(
    ("text", "message"),
    [("pool = [", "cannot be read"), ("pol = 1", "unknown key `pol`"), ("pool = []", "no range")],
)
def test_a_wrong_settings_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, message: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LABCTL_POOL", raising=False)
    pool.config_file().parent.mkdir()
    pool.config_file().write_text(text)
    with pytest.raises(UsageError, match=message):
        pool.configured()
