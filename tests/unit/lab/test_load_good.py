"""What a right lab file becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.lab.discover import known
from labctl.lab.lab import HostDecl
from labctl.lab.load import load
from labctl.lab.places import data_root
from tests.unit.lab.conftest import LoadText, Write

SMALLEST = """\
x-lab: {title: small}
services:
  server: {image: labctl-host, networks: [lan]}
networks:
  lan: {internal: true}
"""


def test_smallest_lab(load_text: LoadText, here: Path) -> None:
    lab = load_text(SMALLEST)
    assert lab.name == "mylab"
    assert lab.path == here / "compose.yaml"
    assert lab.x.title == "small"
    assert lab.networks == ("lan",)
    assert lab.hosts == {"server": HostDecl("server", 1, ("lan",), router=False)}
    assert not lab.hosts["server"].template


def test_name_is_the_files_own_or_made_of_its_folders(load_text: LoadText, here: Path) -> None:
    assert load_text(f"name: other\n{SMALLEST}").name == "other"
    odd = here / "-My Lab.2"
    odd.mkdir()
    (odd / "compose.yaml").write_text(SMALLEST)
    assert load(odd / "compose.yaml").name == "mylab2"


def test_relative_path_becomes_absolute(write: Write, here: Path) -> None:
    write(SMALLEST)
    assert load(Path("compose.yaml")).path == here / "compose.yaml"


def test_hosts_stand_in_file_order_with_their_copies(load_text: LoadText) -> None:
    lab = load_text("""\
x-lab: {title: t}
services:
  z: {networks: {lan: {}, wan: }}
  template: {scale: 0}
  peer: {scale: 3, networks: [lan]}
  many: {deploy: {replicas: 2}, networks: [lan]}
  alone: {network_mode: none}
  guest: {network_mode: "service:z"}
networks:
  lan: {internal: true}
  wan: {internal: "true"}
""")
    assert list(lab.hosts) == ["z", "template", "peer", "many", "alone", "guest"]
    assert lab.hosts["z"].networks == ("lan", "wan")
    assert lab.hosts["template"].template
    assert lab.hosts["template"].copies == ()
    assert lab.hosts["peer"].copies == ("peer-1", "peer-2", "peer-3")
    assert lab.hosts["many"].scale == 2
    assert lab.hosts["alone"].networks == lab.hosts["guest"].networks == ()


def test_extends_gives_scale_networks_and_router(load_text: LoadText, here: Path) -> None:
    (here / "base.yaml").write_text("""\
services:
  host: {scale: 0, networks: [lan]}
  router:
    extends: host
    sysctls: ["net.ipv4.ip_forward=1"]
""")
    lab = load_text("""\
x-lab: {title: t}
x-routed: &routed
  com.docker.network.bridge.inhibit_ipv4: "true"
  com.docker.network.bridge.enable_ip_masquerade: "false"
services:
  r1:
    extends: {file: base.yaml, service: router}
    scale: 1
    networks: [wan]
  r2: {extends: r1, sysctls: {net.ipv4.ip_forward: 0}}
networks:
  lan: {driver_opts: *routed}
  wan: {driver_opts: *routed}
""")
    assert lab.hosts["r1"] == HostDecl("r1", 1, ("lan", "wan"), router=True)
    assert lab.hosts["r2"] == HostDecl("r2", 1, ("lan", "wan"), router=False)


def test_default_network_may_be_implicit_when_it_is_declared_open(load_text: LoadText) -> None:
    lab = load_text("""\
x-lab: {title: t, open_networks: {default: fetches a page}}
services: {server: {image: labctl-host}}
""")
    assert lab.networks == ("default",)
    assert lab.hosts["server"].networks == ("default",)


def test_scenario_values(load_text: LoadText) -> None:
    lab = load_text(
        SMALLEST.replace(
            "{title: small}",
            """
  title: t
  scenarios:
    s:
      steps:
        - {name: one, host: server, run: [a, b], background: true, timeout: 500ms}
        - {host: server, run: "echo $$HOME $(date)", timeout: 2m, expect: {exit: 3}}
        - {host: server, run: x, when: {ended: one, listening: "server:53/udp"}, timeout: 1.5}
""",
        )
    )
    one, two, three = lab.x.scenarios["s"].steps
    assert (one.run, one.background, one.timeout) == (["a", "b"], True, 0.5)
    assert two.run == "echo $HOME $(date)"
    assert two.expect is not None
    assert (two.timeout, two.expect.exit, three.timeout) == (120.0, 3, 1.5)
    assert three.when.listening == "server:53/udp"


def test_copies_beyond_the_files_scale_may_be_named(load_text: LoadText) -> None:
    lab = load_text("""\
x-lab: {title: t, scenarios: {s: {steps: [{host: peer-9, run: x}, {host: one-2, run: x}]}}}
services:
  peer: {scale: 3, networks: [lan]}
  one: {networks: [lan]}
networks: {lan: {internal: true}}
""")
    assert [step.host for step in lab.x.scenarios["s"].steps] == ["peer-9", "one-2"]


def test_what_compose_replaces_is_left_to_compose(load_text: LoadText) -> None:
    lab = load_text("""\
x-lab: {title: t}
services:
  a: {image: "${IMAGE:-labctl-host}", networks: {lan: {ipv4_address: "${A:-10.0.0.2}"}}}
networks:
  lan: {internal: true, ipam: {config: [{subnet: "${S:-10.0.0.0/28}"}]}}
""")
    assert lab.hosts["a"].networks == ("lan",)


LABS = sorted(known(data_root()).items())


def test_this_projects_labs_are_found() -> None:
    assert {"default", "tcp", "napster"} <= {name for name, _ in LABS}


@pytest.mark.parametrize("path", [path for _, path in LABS], ids=[name for name, _ in LABS])
def test_every_lab_of_this_project_is_right(path: Path) -> None:
    lab = load(path)
    assert lab.x.scenarios
    first = path.read_text("utf-8").partition("\n")[0]
    relative = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / relative).resolve() == data_root() / "docs" / "lab.schema.json"
