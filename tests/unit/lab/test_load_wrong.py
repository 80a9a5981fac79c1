"""Every mistake in hosts, networks and addresses, with its place and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import LabFileError
from labctl.lab.load import load
from tests.unit.lab.conftest import ProblemsOf, Write

LAN = "networks: {lan: {internal: true}}\n"
TOP = "x-lab: {title: t}\n"
POOL = "networks: {lan: {internal: true, ipam: {config: [{subnet: 10.0.0.0/28}]}}}\n"
ROUTER = "r1: {sysctls: {net.ipv4.ip_forward: 1}, networks: [lan]}"


def services(*lines: str) -> str:
    return "services:\n" + "".join(f"  {line}\n" for line in lines)


ONE = services("a: {networks: [lan]}")


def addresses(*told: str) -> str:
    hosts = [
        f"h{i}: {{networks: {{lan: {{ipv4_address: {address}}}}}}}"
        for i, address in enumerate(told)
    ]
    return TOP + services(*hosts) + POOL


CASES = [
    # x-lab as a whole
    (ONE + LAN, (1, 1), "`x-lab` is missing", "x-lab:\n  title: "),
    ("x-lab:\n" + ONE + LAN, (1, 7), "`x-lab` must be a mapping", "x-lab:\n  title: "),
    ("x-lab: {}\n" + ONE + LAN, (1, 1), "`title` is missing in x-lab", "`title`: one line"),
    # keys of Compose
    (TOP + ONE + LAN + "servces: {}\n", (5, 1), "unknown key `servces`", "`services`?"),
    (TOP + ONE + LAN + "bogus: {}\n", (5, 1), "unknown key `bogus`", "`x-`"),
    (
        TOP + services("a:", "  networks: [lan]", "  comand: x") + LAN,
        (5, 5),
        "unknown key `comand` in services.a",
        "did you mean `command`?",
    ),
    (
        TOP + services("a: {networks: [lan], healthcheck: {tset: x}}") + LAN,
        (3, 38),
        "unknown key `tset` in services.a.healthcheck",
        "did you mean `test`?",
    ),
    (
        TOP + services("a: {networks: {lan: {ipv4_adress: x}}}") + LAN,
        (3, 24),
        "unknown key `ipv4_adress` in services.a.networks.lan",
        "did you mean `ipv4_address`?",
    ),
    (
        TOP + ONE + "networks: {lan: {internal: true, ipam: {config: [{sub_net: x}]}}}\n",
        (4, 51),
        "unknown key `sub_net` in networks.lan.ipam.config.0",
        "did you mean `subnet`?",
    ),
    (TOP + ONE + LAN + "volumes: {v: {drivr: x}}\n", (5, 15), "unknown key `drivr`", "`driver`?"),
    (TOP + ONE + LAN + "include: [x]\n", (5, 1), "`include` is not supported", "extends"),
    (TOP + ONE + LAN + "name: My Lab\n", (5, 7), '"My Lab" is not a lab\'s name', "small letters"),
    # hosts
    (TOP, (1, 1), "`services` must hold at least one host", "services:"),
    (TOP + "services: {}\n", (2, 1), "`services` must hold at least one host", "services:"),
    (TOP + services("a: 3") + LAN, (3, 3), "host a must be a mapping", "image"),
    (TOP + services("A.b: {networks: [lan]}") + LAN, (3, 3), "`A.b` is not a host's name", "small"),
    (TOP + services("a: {scale: 0}") + LAN, (2, 1), "every host is a template", "scale: 1"),
    (
        TOP + services("a: {scale: many, networks: [lan]}") + LAN,
        (3, 14),
        "scale: many is not a whole number",
        "--scale",
    ),
    (
        TOP + services("a: {scale: true, networks: [lan]}") + LAN,
        (3, 14),
        "scale: True is not a whole number",
        "--scale",
    ),
    (
        TOP + services("p: {scale: 2, networks: [lan]}", "p-2: {networks: [lan]}") + LAN,
        (4, 3),
        "host p-2 has the name of a copy of p (scale: 2)",
        "rename",
    ),
    # extends
    (
        TOP
        + services("t: {scale: 0}", "a: {extends: t, networks: [lan]}", "b: {networks: [lan]}")
        + LAN,
        (4, 7),
        "host a extends a template (scale: 0), so it would never start",
        "add `scale: 1`",
    ),
    (
        TOP + services("host: {networks: [lan]}", "a: {extends: hots}") + LAN,
        (4, 16),
        "compose.yaml has no service `hots` to extend",
        "did you mean `host`?",
    ),
    (
        TOP + services("a: {extends: {file: no.yaml, service: x}}") + LAN,
        (3, 41),
        "cannot extend: cannot read no.yaml: No such file or directory",
        "relative to the folder",
    ),
    (
        TOP + services("a: {extends: {file: broken.yaml, service: x}}") + LAN,
        (3, 45),
        "cannot extend: broken.yaml:1:4: this is not YAML",
        "relative to the folder",
    ),
    (
        TOP + services("a: {extends: {file: other.yaml}}") + LAN,
        (3, 16),
        "`extends` must name a service",
        "file: other.yaml",
    ),
    # networks
    (
        TOP + services("a: {networks: [lam]}") + LAN,
        (3, 18),
        "host a joins the network `lam`, which is not defined",
        "did you mean `lan`?",
    ),
    (
        TOP + services("a:", "  networks:", "    lam: {}") + LAN,
        (5, 7),
        "host a joins the network `lam`, which is not defined",
        "did you mean `lan`?",
    ),
    (
        TOP + services("a: {networks: [lan, lan]}") + LAN,
        (3, 23),
        "host a joins `lan` twice",
        "remove one",
    ),
    (
        TOP + services("a: {networks: [lan], network_mode: none}") + LAN,
        (3, 24),
        "host a has both `network_mode` and `networks`",
        "keep `networks`",
    ),
    (
        TOP + services("a: {network_mode: host}"),
        (3, 21),
        "network_mode: host takes host a out of the lab",
        "use `networks`",
    ),
    (
        TOP + services("server: {networks: [lan]}", "a: {network_mode: 'service:servr'}") + LAN,
        (4, 21),
        "there is no host `servr` to share",
        "did you mean `server`?",
    ),
    (TOP + ONE + "networks: [lan]\n", (4, 11), "`networks` must be a mapping", "internal"),
    (
        TOP + ONE + "networks:\n  lan: {}\n",
        (5, 3),
        "network lan is not cut off from the world: only x-lab.open_networks may allow that",
        "write `internal: true`",
    ),
    (
        TOP + services("a: {image: x}"),
        (3, 3),
        "host a names no network, so Compose puts it on `default`, which is not cut off",
        "internal: true",
    ),
    (
        TOP + ONE + "networks: {lan: {external: true}}\n",
        (4, 18),
        "network lan is external",
        "remove `external`",
    ),
    (
        TOP + services(ROUTER) + LAN,
        (4, 18),
        "network lan is internal, but r1 routes on it: the engine's firewall drops routed frames",
        'com.docker.network.bridge.inhibit_ipv4: "true"',
    ),
    (
        TOP + services(ROUTER) + "networks: {lan: {driver: bridge}}\n",
        (4, 12),
        "network lan is not cut off from the world",
        "a router is on it, so give it the options of a routed network",
    ),
    (
        "x-lab: {title: t, open_networks: {lam: because}}\n" + ONE + LAN,
        (1, 35),
        "x-lab.open_networks names `lam`, which is not a network of this lab",
        "did you mean `lan`?",
    ),
    # addresses
    (addresses("10.0.0.20"), (3, 39), "10.0.0.20 lies outside the subnet 10.0.0.0/28", "10.0.0.2"),
    (addresses("10.0.0.x"), (3, 39), '"10.0.0.x" is not an IPv4 address', "10.80.0.2"),
    (addresses("10.0.0.0"), (3, 39), "10.0.0.0 is the network address", "10.0.0.2 to 10.0.0.14"),
    (addresses("10.0.0.15"), (3, 39), "10.0.0.15 is the broadcast address", "10.0.0.2"),
    (addresses("10.0.0.1"), (3, 39), "10.0.0.1 is the gateway's address", "a router claims it"),
    (
        addresses("10.0.0.2", "10.0.0.2"),
        (4, 39),
        "hosts h0 and h1 have the same address 10.0.0.2 on lan",
        "of its own",
    ),
    (
        TOP + services("p: {scale: 2, networks: {lan: {ipv4_address: 10.0.0.2}}}") + POOL,
        (3, 48),
        "host p has a fixed address and scale: 2",
        "remove `ipv4_address`",
    ),
    (
        TOP + services("a: {networks: {lan: {ipv4_address: 10.0.0.2}}}") + LAN,
        (3, 38),
        "host a has a fixed address, but network lan has no subnet",
        "subnet: ",
    ),
    (
        TOP + ONE + POOL.replace("10.0.0.0/28", "10.0.0.1/28"),
        (4, 59),
        '"10.0.0.1/28" is not a subnet',
        "10.80.0.0/28",
    ),
    (
        TOP
        + ONE
        + "networks:\n"
        + "  lan: {internal: true, ipam: {config: [{subnet: 10.0.0.0/24}]}}\n"
        + "  wan: {internal: true, ipam: {config: [{subnet: 10.0.0.16/28}]}}\n",
        (6, 50),
        "the subnets of lan (10.0.0.0/24) and wan (10.0.0.16/28) overlap",
        "of its own",
    ),
]


@pytest.mark.parametrize(("text", "place", "words", "hint"), CASES, ids=[c[2] for c in CASES])
def test_mistake_has_its_place_and_words(
    problems_of: ProblemsOf,
    here: Path,
    text: str,
    place: tuple[int, int],
    words: str,
    hint: str,
) -> None:
    (here / "broken.yaml").write_text("a: *b\n")
    (here / "other.yaml").write_text("services: {}\n")
    (problem,) = problems_of(text)
    assert words in problem.message
    assert hint in problem.hint
    assert (str(problem.file), problem.line, problem.column) == ("compose.yaml", *place)


def test_extends_in_a_circle_through_two_files(problems_of: ProblemsOf, here: Path) -> None:
    (here / "other.yaml").write_text("services: {y: {extends: {file: compose.yaml, service: x}}}\n")
    (problem,) = problems_of(TOP + services("x: {extends: {file: other.yaml, service: y}}") + LAN)
    assert problem.message == "`extends` goes in a circle at `x`"
    assert (problem.line, problem.column) == (3, 44)


def test_all_problems_are_told_in_file_order_with_file_line_and_column(write: Write) -> None:
    path = write("""\
x-lab:
  titel: t
services:
  a: {networks: [lam], comand: x}
networks:
  lan: {}
""")
    with pytest.raises(LabFileError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    assert caught.value.message.splitlines() == [
        "compose.yaml:1:1: `title` is missing in x-lab",
        "compose.yaml:2:3: unknown key `titel` in x-lab",
        "compose.yaml:4:18: host a joins the network `lam`, which is not defined",
        "compose.yaml:4:24: unknown key `comand` in services.a",
        "compose.yaml:6:3: network lan is not cut off from the world: only x-lab.open_networks "
        "may allow that",
    ]
