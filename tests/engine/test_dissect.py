"""`labctl dissect` of what crosses the wire, beside tcpdump's own printer of SNMP."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from labctl.engine.client import Engine
from labctl.engine.images.build import ensure

from .conftest import labctl


def tcpdump(engine: Engine, file: Path) -> str:
    """Return what tcpdump prints of a file of packets."""
    image = ensure(engine, ["observer"])["observer"]
    argv = ["docker", "run", "--rm", "--interactive", image, "tcpdump", "-r", "-", "-nvv"]
    with file.open("rb") as packets:
        done = subprocess.run(argv, stdin=packets, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dissected")


def test_it_says_what_tcpdump_says(engine: Engine, folder: Path) -> None:
    files = [folder / f"get{suffix}" for suffix in (".pcapng", ".json", ".svg", ".html", ".txt")]
    done = labctl("dissect", "snmp", "-s", "get", *(w for f in files for w in ("-o", str(f))))
    assert done.code == 0, done.err
    request, response = json.loads(files[1].read_text())
    said = tcpdump(engine, files[0])
    number = request["request_id"]
    value = response["parts"][2]["fields"][0]["parts"][2]["parts"][3]["parts"][0]["parts"][1]
    name = "1.3.6.1.2.1.7.1.0"
    assert f"GetRequest(28) R={number}  .{name} " in said
    size = re.search(r"GetResponse\((\d+)\) ", said)
    assert size is not None
    assert f"GetResponse({size[1]}) R={number}  .{name}={value['meaning']} " in said
    assert response["parts"][2]["fields"][0]["parts"][2]["meaning"] == f"{size[1]} bytes"
    assert response["answers"] == 1
    # Each of the two was seen at both ends and twice at the router between them.
    assert [len(one["seen"]) for one in (request, response)] == [4, 4]
    assert said.count("GetRequest(28)") == 4

    again = labctl("dissect", str(files[0]), "--json")
    assert again.code == 0, again.err
    read = [one["parts"] for one in again.json["messages"]]
    assert read == [request["parts"], response["parts"]]


def test_a_command_on_a_lab_that_is_up(name: str, folder: Path) -> None:
    assert labctl("up", "snmp", "--name", name).code == 0
    where = ("dissect", f"{name}/client", "--json", "--")
    good = labctl(*where, "snmp_get", "server", "sysDescr", "--version", "2c")
    assert good.code == 0, good.err
    wrong = labctl(*where, "python3", "/opt/broken/asks_with_value.py", "server")
    assert wrong.code == 1
    assert "NULL (05 00) holds the place" in str(wrong.json["messages"][0]["faults"])
    failed = labctl(*where, "snmp_get", "server", "1.3.6.1.4")
    assert failed.code == 1
    nothing = labctl(*where, "true")
    assert nothing.code == 1
    assert "no datagram to or from UDP port 161 was seen" in nothing.err
