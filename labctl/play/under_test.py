"""A lab as a test sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.engine import inside, logs
from labctl.engine.client import Engine
from labctl.engine.inside import Done
from labctl.engine.live import LiveHost, LiveLab
from labctl.errors import UsageError
from labctl.lab.lab import Lab
from labctl.observe.queues.model import Sampled
from labctl.play.choose import scenario_of
from labctl.play.player import play
from labctl.play.queues import INTERVAL, sampling
from labctl.play.results import ScenarioResult

_NAP = 0.05


@dataclass(repr=False)
class LabUnderTest:
    """A lab that was brought up for the tests of one module, as the fixture `lab` gives it."""

    engine: Engine
    model: Lab
    """What its file says."""
    live: LiveLab
    """Its containers and networks as they came up."""
    played: list[ScenarioResult] = field(default_factory=list)
    """What `run` gave during the test that runs now."""

    def __repr__(self) -> str:
        return f"<lab {self.name}>"

    @property
    def name(self) -> str:
        """The random name it is up under."""
        return self.live.name

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of its hosts."""
        return tuple(host.name for host in self.live.hosts)

    def host(self, name: str) -> LiveHost:
        """Return a host's container and addresses. Raises UsageError for an unknown name."""
        return self.live.host(name)

    def address(self, host: str, network: str | None = None) -> str:
        """Return a host's IPv4 address; on which network must be said where it joins several.

        Raises UsageError when it is not on that network, or on several and none was named.
        """
        addresses = self.live.host(host).addresses
        if network is None and len(addresses) == 1:
            return next(iter(addresses.values()))
        if network in addresses:
            return addresses[network]
        joined = ", ".join(addresses) or "no network"
        wrong = f"is not on network {network}" if network else "is not on one network alone"
        raise UsageError(f"host {host} {wrong}", f"It is on {joined}.")

    def subnet(self, network: str) -> str:
        """Return a network's subnet in CIDR notation. Raises UsageError for an unknown name."""
        if network not in self.live.networks:
            names = ", ".join(self.live.networks)
            raise UsageError(f"lab {self.name} has no network {network}", f"It has {names}.")
        return self.live.networks[network]

    def exec(
        self,
        host: str,
        *argv: str,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bytes | None = None,
        timeout: float | None = 60.0,
    ) -> Done:
        """Run a command on a host to its end; return its exit code and what it printed, as bytes.

        Raises TimedOut after `timeout` seconds, MachineError when the host does not run.
        """
        return inside.run(
            self.engine,
            self.live.host(host),
            argv,
            user=user,
            env=env,
            cwd=cwd,
            stdin=stdin,
            timeout=timeout,
        )

    def run(self, scenario: str | None = None) -> ScenarioResult:
        """Play one of the lab's scenarios; without a name the only one.

        Raises UsageError for an unknown name; see `labctl.play.player.play` for the rest.
        """
        name, steps = scenario_of(self.model, scenario)
        result = play(self.engine, self.live, name, steps)
        self.played.append(result)
        return result

    def queues(
        self, scenario: str | None = None, interval: float = INTERVAL
    ) -> tuple[ScenarioResult, Sampled]:
        """Play a scenario as `run` does, while the queues of all sockets are sampled.

        `interval` is in seconds. `labctl.observe.queues.flows.flows` pairs both ends of what was
        seen. Raises MachineError where a host cannot be looked at, and what `run` raises.
        """
        with sampling(self.engine, self.live, interval) as sampler:
            result = self.run(scenario)
        return result, sampler.sampled

    def logs(self, host: str, tail: int | None = None) -> str:
        """Return what a host's own program has logged, or the last `tail` lines of it."""
        lines = logs.past(self.engine, [self.live.host(host)], logs.Part(tail=tail))
        return "".join(f"{line.text}\n" for line in lines)

    def logged(self, host: str, text: str, times: int = 1, timeout: float = 60.0) -> list[str]:
        """Return the lines with `text` that a host's own program has logged, once there are as
        many; what a program prints takes a moment to be in the log. Fails after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = [line for line in self.logs(host).splitlines() if text in line]
            if len(found) >= times:
                return found
            assert time.monotonic() < deadline, f"{host} has logged {text!r} {len(found)} times"
            time.sleep(_NAP)

    def testinfra(self, host: str, user: str | None = None) -> Any:
        """Return the host as pytest-testinfra sees it."""
        import testinfra  # noqa: PLC0415  it takes long to load, and few need it

        container = self.live.host(host).container
        return testinfra.get_host(f"docker://{f'{user}@' if user else ''}{container}")
