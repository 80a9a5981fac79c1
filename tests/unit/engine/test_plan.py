"""From Compose's view of a lab to the project that is brought up."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import labels
from labctl.engine.plan import Plan, complete
from labctl.engine.shape import shape
from labctl.errors import UsageError

ORIGIN = labels.Origin("copy", "demo", Path("/labs/demo/compose.yaml"))


def project(services: dict[str, Any], networks: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": "demo", "services": services, "networks": networks or {"lan": {}}}


def host(**keys: Any) -> dict[str, Any]:
    return {"image": "labctl-host", "networks": {"lan": None}, **keys}


def planned(view: dict[str, Any], *subnets: str, scale: dict[str, int] | None = None) -> Plan:
    made = shape(view, "copy", scale or {})
    chosen = dict(
        zip([n.key for n in made.networks], [IPv4Network(s) for s in subnets], strict=True)
    )
    return complete(made, chosen, {"labctl-host": "labctl-host:abc"}, ORIGIN)


def test_every_host_gets_an_address_after_the_gateway() -> None:
    plan = planned(project({"a": host(), "b": host()}), "10.201.0.16/28")
    services = plan.project["services"]
    assert services["a"]["networks"] == {"lan": {"ipv4_address": "10.201.0.18"}}
    assert services["b"]["networks"] == {"lan": {"ipv4_address": "10.201.0.19"}}
    assert plan.project["networks"] == {"lan": {"name": "copy_lan", "external": True}}


def test_an_address_of_the_file_keeps_its_place_in_the_new_subnet() -> None:
    lan = {"ipam": {"config": [{"subnet": "10.200.0.0/28"}]}}
    fixed = host(networks={"lan": {"ipv4_address": "10.200.0.2"}})
    plan = planned(project({"a": host(), "b": fixed}, {"lan": lan}), "10.201.5.32/28")
    addresses = {name: str(a["lan"]) for name, a in plan.addresses.items()}
    assert addresses == {"a": "10.201.5.35", "b": "10.201.5.34"}


def test_scaled_hosts_are_numbered_and_share_an_alias() -> None:
    plan = planned(project({"peer": host(scale=3), "x": host()}), "10.201.0.0/28")
    assert [h.name for h in plan.shape.hosts] == ["peer-1", "peer-2", "peer-3", "x"]
    second = plan.project["services"]["peer-2"]
    assert second["networks"]["lan"]["aliases"] == ["peer"]
    assert second["container_name"] == "copy-peer-2"
    assert second["hostname"] == "peer-2"


def test_scale_from_the_command_line_wins_and_widens_the_subnet() -> None:
    made = shape(project({"peer": host(scale=1)}), "copy", {"peer": 20})
    assert len(made.hosts) == 20
    assert made.networks[0].prefix == 27


@pytest.mark.parametrize(
    ("hosts", "prefix"), [(1, 28), (13, 28), (14, 27), (29, 27), (30, 26), (200, 24), (253, 24)]
)
def test_a_subnet_holds_its_hosts_gateway_and_both_ends(hosts: int, prefix: int) -> None:
    made = shape(project({"peer": host()}), "copy", {"peer": hosts})
    assert made.networks[0].prefix == prefix
    assert 2 ** (32 - prefix) >= hosts + 3


def test_a_template_makes_no_host_and_no_network() -> None:
    services = {"host": host(scale=0, networks={"default": None}), "a": host(scale=1)}
    made = shape(project(services, {"default": {}, "lan": {}}), "copy", {})
    assert [h.name for h in made.hosts] == ["a"]
    assert [n.engine_name for n in made.networks] == ["copy_lan"]


def test_hosts_on_other_networks_are_known_by_name_at_their_new_address() -> None:
    left = {"ipam": {"config": [{"subnet": "10.200.0.0/28"}]}}
    right = {"ipam": {"config": [{"subnet": "10.200.0.16/28"}]}}
    services = {
        "c": host(
            networks={"left": None},
            extra_hosts=["s=10.200.0.18", "www=10.200.0.18", "out=192.0.2.1", "self=::1"],
        ),
        "s": host(networks={"right": {"ipv4_address": "10.200.0.18"}}),
    }
    plan = planned(
        project(services, {"left": left, "right": right}), "10.201.0.0/28", "10.201.0.16/28"
    )
    assert plan.project["services"]["c"]["extra_hosts"] == [
        "www=10.201.0.18",
        "out=192.0.2.1",
        "self=::1",
        "s=10.201.0.18",
    ]


def test_hosts_on_a_shared_network_are_left_to_the_name_service() -> None:
    plan = planned(project({"a": host(), "b": host()}), "10.201.0.0/28")
    assert plan.project["services"]["a"]["extra_hosts"] == []


def test_a_host_is_confined_unless_the_file_says_how() -> None:
    services = {
        "plain": host(),
        "capable": host(cap_add=["NET_ADMIN"], mem_limit="64m", init=False),
        "dropping": host(cap_drop=["NET_RAW"]),
    }
    done = planned(project(services), "10.201.0.0/28").project["services"]
    assert done["plain"]["cap_drop"] == ["ALL"]
    assert done["plain"]["init"] is True
    assert {"pids_limit", "mem_limit", "cpus"} <= set(done["plain"])
    assert "cap_drop" not in done["capable"]
    assert (done["capable"]["mem_limit"], done["capable"]["init"]) == ("64m", False)
    assert done["dropping"]["cap_drop"] == ["NET_RAW"]


def test_own_images_get_their_present_tag_and_others_stay() -> None:
    services = {"a": host(build={"context": "x"}), "b": host(image="nginx:1"), "c": host(image="")}
    services["c"] = {"build": {"context": "y"}, "networks": {"lan": None}}
    done = planned(project(services), "10.201.0.0/28").project["services"]
    assert [done[n]["image"] for n in "ab"] == ["labctl-host:abc", "nginx:1"]
    assert done["c"]["image"].startswith("labctl-built-demo-c-")
    assert not any("build" in service for service in done.values())


def test_labs_of_one_name_build_images_of_their_own() -> None:
    def image(folder: str) -> str:
        built = {"build": {"context": folder}, "networks": {"lan": None}}
        told = planned(project({"c": built}), "10.201.0.0/28").project["services"]["c"]["image"]
        return str(told)

    assert image("/one") != image("/two")


def test_everything_is_labelled() -> None:
    view = project({"a": host()}) | {"volumes": {"data": None, "given": {"external": True}}}
    done = planned(view, "10.201.0.0/28").project
    assert done["services"]["a"]["labels"] == {
        "labctl.name": "copy",
        "labctl.lab": "demo",
        "labctl.file": "/labs/demo/compose.yaml",
        "labctl.host": "a",
        "labctl.owner": labels.owner(),
    }
    assert done["volumes"]["data"]["name"] == "copy_data"
    assert done["volumes"]["data"]["labels"]["labctl.name"] == "copy"
    assert done["volumes"]["given"] == {"external": True}


def test_dependencies_follow_the_expansion() -> None:
    how = {"condition": "service_started"}
    services = {"peer": host(scale=2), "x": host(depends_on={"peer": how, "template": how})}
    services["template"] = host(scale=0)
    done = planned(project(services), "10.201.0.0/28").project["services"]
    assert done["x"]["depends_on"] == {"peer-1": how, "peer-2": how}


def test_a_sidecar_is_told_from_a_host() -> None:
    services = {"a": host(), "side": {"image": "labctl-host", "network_mode": "service:a"}}
    side = planned(project(services), "10.201.0.0/28").project["services"]["side"]
    assert side["labels"]["labctl.sidecar"] == "a"
    assert "hostname" not in side
    assert "extra_hosts" not in side


@pytest.mark.parametrize(
    ("view", "scale", "message"),
    [
        (project({"a": host()}), {"b": 2}, "--scale names a host that the lab does not have: b"),
        (project({"a": host(scale=0)}), {}, "no host to bring up"),
        (project({"a": host(scale=2), "a-1": host()}), {}, "two hosts would be called a-1"),
        (project({"a": host()}, {"lan": {"external": True}}), {}, "network lan is external"),
        (
            project({"a": host(), "s": {"image": "i", "network_mode": "service:a"}}),
            {"a": 2},
            "s shares the network of a, of which there are 2",
        ),
    ],
)
def test_what_cannot_be_brought_up_is_refused(
    view: dict[str, Any], scale: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        shape(view, "copy", scale)
