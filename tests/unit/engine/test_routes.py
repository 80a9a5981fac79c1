"""Routers: who is whose gateway, and the ways between them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from labctl.engine.routes import settings

SUBNETS = {key: IPv4Network(f"10.0.{i}.0/28") for i, key in enumerate("abcdef")}


def routers(**joined: str) -> dict[str, dict[str, IPv4Address]]:
    """Return routers by name; `r1="ab"` is on networks a and b."""
    return {
        name: {key: SUBNETS[key][2 + number] for key in keys}
        for number, (name, keys) in enumerate(joined.items())
    }


def test_one_router_is_every_gateway_and_needs_no_route() -> None:
    assert settings(routers(r1="abc"), SUBNETS) == {
        "r1": {"GATEWAYS": "10.0.0.0/28 10.0.1.0/28 10.0.2.0/28", "ROUTES": ""}
    }


def test_a_chain_knows_both_ways() -> None:
    told = settings(routers(r1="ab", r2="bc", r3="cd"), SUBNETS)
    assert told["r1"]["GATEWAYS"] == "10.0.0.0/28 10.0.1.0/28"
    assert told["r2"]["GATEWAYS"] == "10.0.2.0/28"
    assert told["r3"]["GATEWAYS"] == "10.0.3.0/28"
    assert told["r1"]["ROUTES"] == "10.0.2.0/28=10.0.1.3 10.0.3.0/28=10.0.1.3"
    assert told["r2"]["ROUTES"] == "10.0.0.0/28=10.0.1.2 10.0.3.0/28=10.0.2.4"


def test_a_router_may_be_nobodys_gateway() -> None:
    assert settings(routers(r1="ab", r2="ab"), SUBNETS)["r2"]["GATEWAYS"] == ""


def test_the_shorter_way_is_taken() -> None:
    ring = routers(r1="ab", r2="bc", r3="cd", r4="da")
    told = dict(way.split("=") for way in settings(ring, SUBNETS)["r1"]["ROUTES"].split())
    assert told == {"10.0.2.0/28": "10.0.1.3", "10.0.3.0/28": "10.0.0.5"}


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=2), min_size=1, max_size=6))
def test_a_packet_arrives_wherever_there_is_a_way(joined: list[set[str]]) -> None:
    net = routers(**{f"r{i}": "".join(sorted(keys)) for i, keys in enumerate(joined)})
    told = settings(net, SUBNETS)
    owner = {address: name for name, own in net.items() for address in own.values()}
    ways = {
        name: {
            way.split("=")[0]: owner[IPv4Address(way.split("=")[1])]
            for way in told[name]["ROUTES"].split()
        }
        for name in net
    }
    for start in net:
        for target, subnet in SUBNETS.items():
            at, hops = start, 0
            while target not in net[at] and str(subnet) in ways[at]:
                at, hops = ways[at][str(subnet)], hops + 1
                assert hops <= len(net), "a loop"
            assert (target in net[at]) == (target in reachable(start, net))


def reachable(start: str, net: dict[str, dict[str, IPv4Address]]) -> set[str]:
    found, size = set(net[start]), 0
    while size != len(found):
        size = len(found)
        for own in net.values():
            if found & set(own):
                found |= set(own)
    return found
