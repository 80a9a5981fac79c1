"""A packet that crosses two routers, on routes that labctl gave them."""

from __future__ import annotations

from labctl.engine import inside, live
from labctl.engine.client import Engine

from .conftest import WriteLab, labctl

HEAD = """\
name: {lab}
x-lab: {{title: two routers in a row}}
x-routed: &routed
  com.docker.network.bridge.inhibit_ipv4: "true"
  com.docker.network.bridge.enable_ip_masquerade: "false"
x-router: &router
  image: labctl-host
  user: "0:0"
  cap_add: [NET_ADMIN]
  cap_drop: [ALL]
  sysctls: {{net.ipv4.ip_forward: 1}}
  command: [router]
  healthcheck: {{test: [CMD, router, --check]}}
networks: {{a: {{driver_opts: *routed}}, b: {{driver_opts: *routed}}, c: {{driver_opts: *routed}}}}
services:
"""
ROW = """
client: {image: labctl-host, networks: [a]}
r1: {<<: *router, networks: [a, b]}
r2: {<<: *router, networks: [b, c]}
server: {image: labctl-host, networks: [c]}
"""


def test_two_routers_in_a_row(engine: Engine, name: str, write_lab: WriteLab) -> None:
    up = labctl("up", str(write_lab(ROW, HEAD)), "--name", name)
    assert up.code == 0, up.err
    lab = live.find(engine, name)
    for host, other in (("client", "server"), ("server", "client")):
        argv = ["ping", "-c", "1", "-W", "5", other]
        done = inside.run(engine, lab.host(host), argv, timeout=20)
        assert b"ttl=62" in done.stdout, done  # 64 less two hops
