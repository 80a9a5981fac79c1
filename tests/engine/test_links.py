"""Links in force on real hosts: what the kernel keeps, and what it cannot make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import inside, live
from labctl.engine.client import Engine
from labctl.engine.doctor import kernel
from labctl.engine.images.build import ensure
from labctl.engine.netside import beside_network
from labctl.engine.up import Reporter
from labctl.lab.load import load
from labctl.play.fresh import fresh

from .conftest import WriteLab, labctl

HEAD = """\
name: {lab}
x-lab:
  title: links
  links: LINKS
networks: {{lan: {{internal: true}}, side: {{internal: true}}}}
services:
"""
HOSTS = """
a: {image: labctl-host, networks: [side, lan], command: [sleep, infinity]}
peer: {image: labctl-host, scale: 2, networks: [lan], command: [sleep, infinity]}
done: {image: labctl-host, networks: [lan], command: ["true"]}
"""
LINKS = """{a: {lan: {rate: 2mbit}}, peer: {lan: {rate: 3mbit}}, \
peer-2: {lan: {loss: 20%, rate: 4mbit}}, done: {lan: {rate: 1mbit}}}"""
COUNT = (
    "import socket, time\n"
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "for _ in range(400):\n"
    "    s.sendto(b'x' * 100, ('a', 9))\n"
    "    time.sleep(0.001)\n"
    "print('all sent')\n"
)


@pytest.fixture(scope="module")
def observer(engine: Engine) -> str:
    return ensure(engine, ["observer", "host"])["observer"]


@pytest.fixture(scope="module")
def linked(
    engine: Engine, observer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[live.LiveLab]:
    """The lab above, up."""
    file = tmp_path_factory.mktemp("links") / "compose.yaml"
    services = "".join(f"  {line}\n" for line in HOSTS.strip().splitlines())
    file.write_text(HEAD.format(lab="links").replace("LINKS", LINKS) + services)
    with fresh(engine, load(file), Reporter()) as lab:
        yield lab


def disciplines(engine: Engine, observer: str, lab: live.LiveLab, host: str) -> list[Any]:
    """Return what `tc -j qdisc` tells of a host's interfaces, with the address of each."""
    with beside_network(engine, observer, lab.name, host, lab.host(host).container_id) as side:
        addresses = {
            one["ifname"]: one["addr_info"][0]["local"]
            for one in json.loads(side.run("ip -j -4 address"))
        }
        told = json.loads(side.run("tc -j qdisc"))
    return [{**one, "address": addresses.get(one.get("dev", ""))} for one in told]


@pytest.mark.parametrize(
    ("host", "rate"), [("a", 2_000_000), ("peer-1", 3_000_000), ("peer-2", 4_000_000)]
)
def test_each_copy_has_its_rate_on_the_network_that_was_named(
    engine: Engine, observer: str, linked: live.LiveLab, host: str, rate: int
) -> None:
    buckets = [q for q in disciplines(engine, observer, linked, host) if q["kind"] == "tbf"]
    assert [q["options"]["rate"] * 8 for q in buckets] == [rate]
    assert [q["address"] for q in buckets] == [linked.host(host).addresses["lan"]]


def test_a_rate_is_kept(engine: Engine, linked: live.LiveLab) -> None:
    """500,000 bytes at 2 Mbit/s take 2 s and more; headers come on top, the bucket's 16 KiB off."""
    serve = "head -c 500000 /dev/zero > /tmp/zeros; exec tcp_server --root /tmp"
    argv = ["sh", "-c", f"({serve}) >/dev/null 2>&1 & echo started"]
    assert inside.run(engine, linked.host("a"), argv).code == 0
    fetch = ["tcp_client", "a", "zeros", "--out", "/tmp/zeros", "--wait", "15", "--json"]
    done = inside.run(engine, linked.host("peer-1"), fetch, timeout=60)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["seconds"] > 1.9


def test_packets_get_lost_and_the_sender_is_not_told(
    engine: Engine, observer: str, linked: live.LiveLab
) -> None:
    """Of 400 datagrams at 20 % some 320 arrive: 250 to 380 is nine standard deviations away."""
    a = linked.host("a")
    count = "iptables -nvxL INPUT | awk '/dpt:9/ {print $1}'"
    with beside_network(engine, observer, linked.name, "a", a.container_id) as side:
        side.run("iptables -A INPUT -p udp --dport 9")
        sent = inside.run(engine, linked.host("peer-2"), ["python3", "-c", COUNT], timeout=60)
        assert sent.stdout == b"all sent\n", sent.stderr
        pinged = inside.run(engine, linked.host("peer-2"), ["ping", "-c", "1", "a"], timeout=60)
        assert pinged.code in (0, 1)  # what was on its way before has come, or is lost
        assert 250 <= int(side.run(count)) <= 380


def test_a_restarted_host_has_no_link_any_more(
    engine: Engine, observer: str, linked: live.LiveLab
) -> None:
    engine.sdk.api.restart(linked.host("peer-1").container_id, timeout=0)
    told = disciplines(engine, observer, linked, "peer-1")
    assert not [q for q in told if q["kind"] == "tbf"]


def _netem(engine: Engine, observer: str) -> str | None:
    return kernel.missing(engine, observer, ["netem"]).get("netem")


def test_a_delay_is_refused_before_anything_comes_up(
    engine: Engine, observer: str, name: str, write_lab: WriteLab
) -> None:
    head = HEAD.replace("LINKS", "{{a: {{lan: {{delay: 40ms}}}}}}")
    file = write_lab(HOSTS, head)
    if _netem(engine, observer) is None:
        pytest.skip("this kernel has netem: there is nothing to refuse")
    up = labctl("up", str(file), "--name", name)
    assert up.code == 3
    assert "the link of a into lan (40 ms) cannot be made here: netem is missing" in up.err
    assert "sudo modprobe sch_netem" in up.err
    assert not [lab for lab in live.labs(engine) if lab.name == name]


def test_a_delay_is_kept_where_the_kernel_has_netem(
    engine: Engine, observer: str, name: str, write_lab: WriteLab
) -> None:
    lacks = _netem(engine, observer)
    if lacks is not None:
        pytest.skip(f"netem is {lacks}")
    file = write_lab(HOSTS, HEAD.replace("LINKS", "{{a: {{lan: {{delay: 40ms}}}}}}"))
    assert labctl("up", str(file), "--name", name).code == 0
    lab = live.find(engine, name)
    pinged = inside.run(engine, lab.host("peer-1"), ["ping", "-c", "3", "a"], timeout=60)
    times = re.findall(rb"time=([\d.]+)", pinged.stdout)
    assert len(times) == 3
    assert min(map(float, times)) >= 40


def test_show_and_doctor_tell_of_links(tmp_path: Path, write_lab: WriteLab) -> None:
    file = write_lab(HOSTS, HEAD.replace("LINKS", LINKS.replace("{", "{{").replace("}", "}}")))
    shown = labctl("show", str(file)).out
    assert re.search(r"peer-2 +lan +4 Mbit/s, 20 % lost", shown)
    told = {one["name"]: one for one in labctl("doctor", "--json").json["checks"]}
    assert {"netem", "tbf", "loss"} <= told.keys()
