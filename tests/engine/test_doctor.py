"""`labctl doctor` on a real engine."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from labctl.engine import labels, live, observers, tracing
from labctl.engine.client import Engine
from labctl.engine.doctor import Check, State, examine, images, kernel, leftovers, mend, tracers
from labctl.engine.doctor.model import Machine
from labctl.engine.images import Image, ensure
from labctl.engine.tracing import TRACERS
from labctl.errors import EngineError
from tests.engine.conftest import labctl, things


def named(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


@pytest.fixture(scope="module")
def built(engine: Engine) -> None:
    ensure(engine, ["base", "host", "observer"])


@pytest.mark.usefixtures("built")
def test_a_machine_that_runs_labs_has_no_failed_check(engine: Engine) -> None:
    ran = labctl("doctor", "--json")
    assert ran.code == 0, ran.out
    checks = {c["name"]: c for c in ran.json["checks"]}
    assert engine.sdk.version()["Version"] in checks["engine"]["found"]
    assert checks["images"]["state"] == checks["base image"]["state"] == "ok"
    assert "labctl-observer:" in checks["images"]["found"]
    # Whether the kernel has them differs; that it was tried does not.
    tried = {*(a.name for a in kernel.ABILITIES), *TRACERS}
    assert {checks[name]["state"] for name in tried} <= {"ok", "warning"}
    assert len(checks) == len(examine())


@pytest.mark.usefixtures("built")
def test_the_trial_leaves_no_container(engine: Engine) -> None:
    checks = kernel.abilities(Machine(engine))
    assert [c.name for c in checks] == [a.name for a in kernel.ABILITIES]
    assert not engine.sdk.containers.list(all=True, filters={"name": "labctl-doctor-"})


@pytest.mark.usefixtures("built")
def test_tracers_are_tried_and_leave_no_container(engine: Engine) -> None:
    checks = tracers.tracers(Machine(engine))
    assert [c.name for c in checks] == list(TRACERS)
    strace = named(checks, "strace")
    assert strace.state is State.OK, strace.found
    assert not engine.sdk.containers.list(all=True, filters={"name": "labctl-doctor-"})


@pytest.mark.usefixtures("built")
def test_a_tracer_without_its_capability_says_why(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observers, "KERNEL_CAPABILITIES", ("SYS_PTRACE", "DAC_OVERRIDE"))
    tracefs = named(tracers.tracers(Machine(engine)), "tracefs")
    assert tracefs.state is State.WARNING
    assert "CAP_SYS_ADMIN" in tracefs.found


@pytest.mark.usefixtures("built")
def test_a_trial_under_way_is_nobody_s_left_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "script", lambda *_: "touch /begun; sleep 600")
    monkeypatch.setattr(kernel, "_SECONDS", 60.0)
    over: list[BaseException] = []

    def trial() -> None:
        try:
            kernel.abilities(Machine(engine))
        except EngineError as error:
            over.append(error)

    aside = threading.Thread(target=trial)
    aside.start()
    try:
        mine = _wait_for_trial(engine)
        assert mine.state is live.State.COMING
        assert mine.name not in leftovers._left_over(engine)
    finally:
        for container in _trials(engine):
            container.kill()
        aside.join(120)
    assert len(over) == 1  # it was ended before it could tell
    assert mine.name not in {lab.name for lab in live.labs(engine)}


def _trials(engine: Engine) -> list[Container]:
    """Return the containers of this test's trials that have begun, none of other doctors."""
    found = []
    for container in engine.sdk.containers.list(filters={"name": "labctl-doctor-"}):
        # Another doctor's may end at any moment.
        with contextlib.suppress(APIError):
            if container.exec_run(["test", "-e", "/begun"]).exit_code == 0:
                found.append(container)
    return found


def _wait_for_trial(engine: Engine) -> live.LiveLab:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        mine = {str(container.name) for container in _trials(engine)}
        for lab in live.labs(engine):
            if any(host.container in mine for host in lab.hosts):
                return lab
        time.sleep(0.1)
    raise AssertionError("no trial within 60 seconds")


def test_the_kernel_says_why_an_ability_is_missing(engine: Engine, built: None) -> None:
    container = engine.sdk.containers.run(
        ensure(engine, ["observer"])["observer"],
        ["sh", "-c", kernel.script()],
        network_mode="none",
        cap_drop=["ALL"],
        remove=True,
    )
    checks = kernel.read(container.decode())  # without the right to change a network
    for name in ("netem", "tbf", "htb", "loss", "ifb"):
        assert named(checks, name).state is State.WARNING
        assert named(checks, name).found != "missing: "


def test_images_that_are_not_built_are_not_checked_and_can_be(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = {n: Image(n, tmp_path, "0" * 12) for n in ("base", "host", "observer")}
    for module in (images, kernel, tracing):
        monkeypatch.setattr(module, "images", lambda root: other)
    machine = Machine(engine)
    checks = kernel.abilities(machine) + tracers.tracers(machine) + images.own(machine)
    assert {c.state for c in checks[:-1]} == {State.NOT_CHECKED}
    assert checks[-1].state is State.WARNING
    assert "labctl-host:000000000000" in checks[-1].found
    assert all(c.fix is not None and c.fix.safe for c in checks)


def test_left_overs_are_found_and_removed_by_the_fix(engine: Engine, name: str) -> None:
    origin = labels.Origin(name, "lab", Path("/nowhere/compose.yaml"))
    engine.sdk.api.create_volume(f"{name}_data", labels=labels.for_lab(origin))
    (check,) = leftovers.remains(Machine(engine))
    assert check.state is State.WARNING
    assert name in check.found
    told: list[str] = []
    assert mend([check], told.append) == 1
    assert f"removed what was left of lab {name}" in told
    assert things(engine, name) == []


def test_a_wrong_pool_is_told(built: None) -> None:
    wrong = labctl("doctor", LABCTL_POOL="10.1.1.1/16")
    assert wrong.code == 3
    assert "not a range of IPv4 addresses: 10.1.1.1/16" in wrong.out
    full = labctl("doctor", LABCTL_POOL="127.0.0.0/29")
    assert full.code == 3
    assert "room for 0 networks" in full.out
    assert "export LABCTL_POOL=10." in full.out


def test_doctors_side_by_side_do_not_disturb_each_other(engine: Engine, built: None) -> None:
    results: list[list[Check]] = []
    doctors = [
        threading.Thread(target=lambda: results.append(kernel.abilities(Machine(engine))))
        for _ in range(3)
    ]
    for one in doctors:
        one.start()
    for one in doctors:
        one.join(60)
    assert len(results) == 3
    assert results[0] == results[1] == results[2]
