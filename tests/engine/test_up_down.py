"""`up` brings all of a lab up or nothing; `down` leaves nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from labctl.engine import live, locks
from labctl.engine.client import Engine
from labctl.engine.up import Reporter
from labctl.lab.load import load
from labctl.play.fresh import fresh

from .conftest import HOST_IMAGE, WriteLab, command, labctl, things

TWO = """
server:
  <<: *host
  command: [tcp_server, --root, /etc]
  healthcheck: {test: [CMD, listening, "8080"], interval: 60s}
client: {<<: *host, command: [sleep, infinity]}
"""
"""The engine itself would look at the server's health after a minute at the earliest."""

NEVER = "healthcheck: {test: [CMD, listening, '9']}"
"""A health check that no host passes: so that one that ends is never taken for ready."""


def test_up_ps_down(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    up = labctl("up", str(file), "--name", name, "--json")
    assert (up.code, up.json["state"]) == (0, "ready"), up.err
    listed = labctl("ps", name, "--json").json[0]
    assert {h["host"]: h["state"] for h in listed["hosts"]} == {
        "client": "running",
        "server": "running",
    }
    assert all(h["addresses"]["lan"].startswith("10.") for h in listed["hosts"])
    assert live.name_lock(engine, name).exists()
    done = labctl("down", name, "--json")
    assert (done.code, done.json) == (0, {name: {"containers": 2, "networks": 1, "volumes": 1}})
    assert things(engine, name) == []
    assert not live.name_lock(engine, name).exists()


def test_a_fresh_copy_leaves_no_locks(engine: Engine, write_lab: WriteLab) -> None:
    with fresh(engine, load(write_lab("a: {<<: *host}")), Reporter()) as lab:
        paths = [live.life_lock(engine, lab.name), live.name_lock(engine, lab.name)]
        assert not locks.is_free(paths[0])
    assert [path.exists() for path in paths] == [False, False]


def test_up_without_a_lab_takes_the_file_in_the_folder(name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    assert labctl("up", "--name", name, cwd=file.parent).code == 0
    assert labctl("up", "--name", name, cwd=file.parent.parent).code == 2


def test_ready_means_that_the_health_check_succeeded(
    engine: Engine, name: str, write_lab: WriteLab
) -> None:
    assert labctl("up", str(write_lab(TWO)), "--name", name).code == 0
    code, _ = engine.sdk.containers.get(f"{name}-server").exec_run(["listening", "8080"])
    assert code == 0


def test_a_host_that_ended_with_0_is_ready(name: str, write_lab: WriteLab) -> None:
    file = write_lab("once: {<<: *host, command: [sh, -c, 'echo done']}")
    up = labctl("up", str(file), "--name", name)
    assert up.code == 0
    assert "once: done" in up.err


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            f"{{<<: *host, {NEVER}, command: [sh, -c, 'echo my last words >&2; exit 7']}}",
            "ended with exit code 7",
        ),
        ("{<<: *host, init: false, command: [no-such-program]}", "could not be started"),
        (f"{{<<: *host, {NEVER}, command: [no-such-program]}}", "exec no-such-program failed"),
        (
            f"{{<<: *host, {NEVER}, command: [sh, -c, 'echo my last words; exec sleep inf']}}",
            "was not ready after 8 seconds: its health check (listening 9) ends with 1",
        ),
    ],
)
def test_a_host_that_fails_is_named_and_nothing_is_left(
    engine: Engine, name: str, write_lab: WriteLab, service: str, expected: str
) -> None:
    file = write_lab(f"good: {{<<: *host, command: [sleep, inf]}}\nbad: {service}")
    up = labctl("up", str(file), "--name", name, "--timeout", "8")
    assert up.code == 3
    assert "host bad" in up.err
    assert expected in up.err
    assert "Traceback" not in up.err
    if "last words" in service:
        assert "    my last words" in up.err
    assert things(engine, name) == []


def test_a_health_check_that_hangs_is_not_waited_for(
    engine: Engine, name: str, write_lab: WriteLab
) -> None:
    hangs = "healthcheck: {test: [CMD, sleep, inf], interval: 60s}"
    file = write_lab(f"bad: {{<<: *host, {hangs}, command: [sleep, inf]}}")
    up = labctl("up", str(file), "--name", name, "--timeout", "1")
    assert up.code == 3
    assert "was not ready after 1 seconds: its health check (sleep inf) does not end" in up.err
    assert things(engine, name) == []


@pytest.mark.parametrize(
    ("condition", "check", "lacks"),
    [
        ("service_completed_successfully", "", "has not completed with exit code 0"),
        ("service_healthy", f"{NEVER[:-1]}, interval: 60s}}, ", "is not healthy"),
    ],
)
def test_a_host_that_waits_for_another_in_vain_is_told(
    engine: Engine, name: str, write_lab: WriteLab, condition: str, check: str, lacks: str
) -> None:
    how = f"depends_on: {{long: {{condition: {condition}}}}}"
    file = write_lab(
        f"long: {{<<: *host, {check}command: [sh, -c, 'echo my last words; exec sleep inf']}}\n"
        f"app: {{<<: *host, command: [sleep, inf], {how}}}"
    )
    begun = time.monotonic()
    up = labctl("up", str(file), "--name", name, "--timeout", "2")
    assert time.monotonic() - begun < 60
    assert up.code == 3
    assert (
        "host app was not started after 2 seconds: it waits for host long "
        f"(depends_on: {condition}), which {lacks}; its last log lines:\n    my last words"
    ) in up.err
    assert "hint: Mend the command or the health check of long" in up.err
    assert things(engine, name) == []
    assert not _composing(name)


def _composing(name: str) -> bool:
    """Tell whether a Compose is still at work on a lab."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any("compose" in line and f"-p {name} " in line for line in listed.stdout.splitlines())


def test_a_host_that_waits_for_one_that_completes_comes_up(name: str, write_lab: WriteLab) -> None:
    how = "depends_on: {once: {condition: service_completed_successfully}}"
    file = write_lab(
        "once: {<<: *host, command: [sleep, '1']}\n"
        f"app: {{<<: *host, command: [sleep, inf], {how}}}"
    )
    assert labctl("up", str(file), "--name", name, "--timeout", "30").code == 0


def test_a_container_name_in_use_is_told(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab("h: {<<: *host, command: [sleep, inf]}")
    other = engine.sdk.containers.create(HOST_IMAGE, name=f"{name}-h")
    try:
        up = labctl("up", str(file), "--name", name)
    finally:
        other.remove()
    assert up.code == 2
    assert f"cannot have the name {name}-h on the engine: it is in use" in up.err


def test_of_several_labs_the_one_of_the_folder_is_meant(name: str, write_lab: WriteLab) -> None:
    one, two = (write_lab("h: {<<: *host, command: [sleep, inf]}") for _ in range(2))
    try:
        assert labctl("up", "--name", name, cwd=one.parent).code == 0
        assert labctl("up", "--name", f"{name}b", cwd=two.parent).code == 0
        asked = labctl("exec", "h", "--", "hostname", "-i", cwd=two.parent)
        known = labctl("ps", f"{name}b", "--json").json[0]["hosts"][0]["addresses"]["lan"]
        assert asked.out.strip() == known
        lost = labctl("exec", "h", "--", "true", cwd=one.parent.parent)
        assert lost.code == 2
        assert "several labs are up" in lost.err
        many = labctl("down", cwd=one.parent.parent)
        assert many.code == 2
        assert "labctl down NAME" in many.err
        down = labctl("down", cwd=one.parent.parent, LABCTL_NAME=f"{name}b")
        assert f"lab {name}b is down" in down.err
    finally:
        labctl("down", f"{name}b")


def test_keep_leaves_the_failed_lab(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab(f"bad: {{<<: *host, {NEVER}, command: [sh, -c, 'exit 7']}}")
    up = labctl("up", str(file), "--name", name, "--keep")
    assert up.code == 3
    assert f"labctl down {name}" in up.err
    assert f"/{name}-bad" in things(engine, name)


def test_a_name_that_is_up_is_refused(name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    assert labctl("up", str(file), "--name", name).code == 0
    again = labctl("up", str(file), "--name", name)
    assert again.code == 2
    assert f"a lab named {name} is already up" in again.err
    assert f"labctl down {name}" in again.err


def test_two_ups_at_the_same_instant(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    names = [name, f"{name}b"]
    children = [
        subprocess.Popen(command("up", str(file), "--name", n), stderr=subprocess.PIPE, text=True)
        for n in names
    ]
    try:
        said = [child.communicate(timeout=120)[1] for child in children]
        assert [child.returncode for child in children] == [0, 0], said
        subnets = [labctl("ps", n, "--json").json[0]["networks"]["lan"] for n in names]
        assert len(set(subnets)) == 2
    finally:
        labctl("down", f"{name}b")


def test_two_ups_under_one_name_give_one_lab(name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    children = [
        subprocess.Popen(
            command("up", str(file), "--name", name), stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [child.communicate(timeout=120)[1] for child in children]
    assert sorted(child.returncode for child in children) == [0, 2], said
    assert labctl("ps", name, "--json").json[0]["state"] == "ready"


def test_down_needs_no_file(engine: Engine, name: str, write_lab: WriteLab) -> None:
    file = write_lab(TWO)
    assert labctl("up", str(file), "--name", name).code == 0
    shutil.rmtree(file.parent)
    assert labctl("down", name).code == 0
    assert things(engine, name) == []


def test_scaled_hosts_have_names_and_addresses(name: str, write_lab: WriteLab) -> None:
    file = write_lab(
        "peer: {<<: *host, command: [sleep, inf]}\nx: {<<: *host, command: [sleep, inf]}"
    )
    up = labctl("up", str(file), "--name", name, "--scale", "peer=15", "--json")
    assert up.code == 0, up.err
    hosts = [h["host"] for h in up.json["hosts"]]
    assert hosts == [f"peer-{i}" for i in range(1, 16)] + ["x"]
    assert up.json["networks"]["lan"].endswith("/27")


def test_no_address_space_left(engine: Engine, name: str, write_lab: WriteLab) -> None:
    head = "name: {lab}\nx-lab: {{title: t}}\n"
    head += "networks: {{a: {{internal: true}}, b: {{internal: true}}}}\nservices:\n"
    file = write_lab("h: {image: labctl-host, networks: [a, b]}", head)
    up = labctl("up", str(file), "--name", name, LABCTL_POOL="10.201.255.0/28")
    assert up.code == 3
    assert "no address space is left for 2 networks in 10.201.255.0/28" in up.err
    assert things(engine, name) == []


def test_two_hundred_networks(engine: Engine, name: str, write_lab: WriteLab) -> None:
    nets = [f"n{i}" for i in range(200)]
    head = "name: {lab}\nx-lab: {{title: t}}\nnetworks:\n"
    head += "".join(f"  {n}: {{{{internal: true}}}}\n" for n in nets) + "services:\n"
    hosts = [
        f"h{i}: {{image: labctl-host, command: [sleep, inf], networks: {nets[i::10]}}}"
        for i in range(10)
    ]
    up = labctl("up", str(write_lab("\n".join(hosts), head)), "--name", name, "--json")
    assert up.code == 0, up.err
    assert len(set(up.json["networks"].values())) == 200
    assert labctl("down", name).code == 0
    assert things(engine, name) == []


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (["--name", "Bad Name"], "not a name for a lab: 'Bad Name'", "small letters"),
        (["--scale", "peer"], "--scale peer: not HOST=COUNT", "--scale peer=20"),
        (["--scale", "nobody=2"], "does not have: nobody", "Its hosts: client, server"),
    ],
)
def test_wrong_usage(
    write_lab: WriteLab, args: list[str], message: str, hint: str, tmp_path: Path
) -> None:
    up = labctl("up", str(write_lab(TWO)), *args)
    assert up.code == 2
    assert message in up.err
    assert hint in up.err
