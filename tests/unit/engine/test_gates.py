"""What a gate changes of a host."""

from __future__ import annotations

from typing import Any, cast

from labctl.engine.client import Engine
from labctl.engine.gates import put_gates

HOST = {"image": "labctl-host:1", "entrypoint": [], "command": ["peer", "run"]}
CHECK = {"test": ["CMD", "true"], "interval": "1s"}


def gated(**service: Any) -> dict[str, Any]:
    project = {"services": {"a": {**HOST, **service}}}
    changed, without = put_gates(cast(Engine, None), project, lambda host: f"gate of {host}")
    assert without == []
    found: dict[str, Any] = changed["services"]["a"]
    return found


def test_the_command_comes_after_the_gate() -> None:
    changed = gated()
    assert changed["entrypoint"][-2:] == ["peer", "run"]
    assert "gate of a" in changed["entrypoint"]
    assert "healthcheck" not in changed


def test_a_host_that_waits_at_its_gate_is_not_unhealthy() -> None:
    assert gated(healthcheck=CHECK)["healthcheck"] == {**CHECK, "retries": 1000}
    assert gated(healthcheck={"disable": True})["healthcheck"] == {"disable": True}


def test_a_router_has_no_gate() -> None:
    router = gated(sysctls={"net.ipv4.ip_forward": "1"}, healthcheck=CHECK)
    assert router["healthcheck"] == CHECK
    assert router["entrypoint"] == []
