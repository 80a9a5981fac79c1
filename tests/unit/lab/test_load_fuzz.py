"""No lab file, however wrong, ends in anything but a Lab or a LabFileError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import LabFileError
from labctl.lab.lab import Lab
from labctl.lab.load import check
from labctl.lab.source import parse

FILE = Path("/nowhere/compose.yaml")

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["server", "server:80", "server:/x", "lan", "10.0.0.2", "10.0.0.0/28", "$A"]),
    st.just([]),
    st.just({}),
    st.just(["x", 1]),
    st.just({"x": 1}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside plain data."""
    if not isinstance(value, dict | list):
        return []
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    return [p for key, item in items for p in [(*path, key), *places(item, (*path, key))]]


KEYS = """
x-lab services networks extends scale server lan ipam config subnet sysctls steps scenarios
when host run listening open_networks network_mode deploy
"""


def load_data(data: Any) -> Lab | None:
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    try:
        return check(parse(text, FILE))
    except LabFileError as error:
        assert all(p.line >= 1 and p.column >= 1 and p.message for p in error.problems)
        return None


LAB = """\
name: fuzzed
x-lab:
  title: t
  open_networks: {wan: because}
  scenarios:
    s:
      steps:
        - {name: one, host: server, run: [a, b], background: true}
        - host: client-1
          when: {listening: "server:80", output: {step: one, contains: a}, ended: one}
          run: x
          expect: {exit: 1}
services:
  template: {scale: 0, sysctls: {net.ipv4.ip_forward: 1}, healthcheck: {test: [CMD, x]}}
  server:
    extends: {service: template}
    scale: 1
    networks: {lan: {ipv4_address: 10.0.0.2}, wan: {}}
  client: {scale: 2, networks: [lan]}
  guest: {network_mode: "service:server", deploy: {replicas: 1}}
networks:
  lan:
    driver_opts:
      com.docker.network.bridge.inhibit_ipv4: "true"
      com.docker.network.bridge.enable_ip_masquerade: "false"
    ipam: {config: [{subnet: 10.0.0.0/28}]}
  wan:
"""
RIGHT = parse(LAB, FILE).data
PLACES = places(RIGHT)


@given(st.data())
def test_a_lab_with_odd_values_in_odd_places(data: st.DataObject) -> None:
    lab = yaml.safe_load(yaml.safe_dump(RIGHT))
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(PLACES))
        where = lab
        for key in above:
            where = where[key] if isinstance(where, dict) and key in where else {}
        if isinstance(where, dict):
            if data.draw(st.booleans()):
                where[last] = data.draw(ODD)
            else:
                where.pop(last, None)
    load_data(lab)


@given(
    st.recursive(
        ODD,
        lambda inner: (
            st.dictionaries(
                st.sampled_from(KEYS.split()),
                inner,
                max_size=5,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=30,
    )
)
def test_known_keys_in_odd_places(data: Any) -> None:
    load_data({"x-lab": {"title": "t"}, "services": data, "networks": data})
    load_data({"x-lab": data, "services": {"server": data}, "networks": {"lan": data}})


@pytest.mark.parametrize("place", PLACES, ids=lambda p: ".".join(map(str, p)))
def test_any_key_removed_or_misspelt_is_survived(place: tuple[Any, ...]) -> None:
    lab = yaml.safe_load(yaml.safe_dump(RIGHT))
    where = lab
    for key in place[:-1]:
        where = where[key]
    value = where.pop(place[-1])
    load_data(lab)
    if isinstance(where, dict):
        where[f"{place[-1]}x"] = value
        load_data(lab)


def test_the_unchanged_lab_is_right() -> None:
    assert load_data(RIGHT) is not None
