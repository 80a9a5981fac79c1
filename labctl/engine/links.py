"""Puts the links of a lab in force, from beside its hosts; refuses those the kernel cannot make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from labctl.engine.client import Engine, refused
from labctl.engine.doctor import kernel
from labctl.engine.netside import beside_network
from labctl.engine.observers import provide_image
from labctl.engine.plan import Plan
from labctl.engine.shape import Shape
from labctl.errors import MachineError
from labctl.lab.link import Link, in_words
from labctl.lab.links import Links, links_of
from labctl.link.queueing import script

Wanted = Mapping[str, Mapping[str, Link]]
"""By host and network, of hosts as they come up."""


def wanted(links: Links, shape: Shape) -> dict[str, dict[str, Link]]:
    """Return the links of each host that has any; each copy of a service has the service's."""
    told = {host.name: links_of(links, host.name, host.service) for host in shape.hosts}
    return {host: own for host, own in told.items() if own}


class Linker:
    """Puts links in force; `netem` tells whether the kernel has it, where that matters."""

    def __init__(
        self, engine: Engine, links: Wanted, note: Callable[[str], None] = lambda line: None
    ) -> None:
        """Raises MachineError where this kernel cannot make one of the links."""
        self._engine = engine
        self._links = links
        if links:
            self._image = provide_image(engine, note)
            self._netem = self._require()

    def _require(self) -> bool:
        needs = {
            need: f"the link of {host} into {network} ({in_words(link)})"
            for host, own in self._links.items()
            for network, link in own.items()
            for need in _needs(link)
        }
        missing = kernel.missing(self._engine, self._image, [*needs, "netem"])
        for need, whose in needs.items():
            if need in missing:
                raise MachineError(
                    f"{whose} cannot be made here: {need} is {missing[need]}", _HINTS[need]
                )
        return "netem" not in missing

    def put_in_force(self, plan: Plan) -> None:
        """Put all links in force. Raises MachineError where one cannot be."""
        with ThreadPoolExecutor(self._engine.at_once) as pool:
            for _ in pool.map(lambda host: self._one(plan, host), self._links):
                pass

    def _one(self, plan: Plan, host: str) -> None:
        container = plan.project["services"][host]["container_name"]
        addresses = plan.addresses[host]
        links = {str(addresses[network]): link for network, link in self._links[host].items()}
        name = plan.shape.name
        try:
            with beside_network(self._engine, self._image, name, host, container) as side:
                side.run(script(links, self._netem))
        except MachineError:
            if self._runs(container):
                raise  # one that has done its work by now needs no link any more

    def _runs(self, container: str) -> bool:
        with refused(f"looking at {container}"):
            return bool(self._engine.sdk.api.inspect_container(container)["State"]["Running"])


def _needs(link: Link) -> list[str]:
    """Return the abilities (labctl.engine.doctor.kernel) that a link needs."""
    needs = [] if link.rate is None else ["tbf"]
    needs += [] if link.delay is None else ["netem"]
    return needs if link.loss is None else [*needs, "loss"]


_HINTS = {
    "netem": "It needs the kernel module sch_netem (`sudo modprobe sch_netem`), or a lab without "
    "`delay`. `labctl doctor` tells what this kernel can do.",
    "tbf": "It needs the kernel module sch_tbf (`sudo modprobe sch_tbf`), or a lab without `rate`.",
    "loss": "It needs sch_netem, or sch_htb with iptables' statistic and CLASSIFY. `labctl doctor` "
    "tells what this kernel can do.",
}
