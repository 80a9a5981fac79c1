"""Makes a recording of what the agents of all hosts have written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from itertools import islice
from pathlib import Path

from labctl.engine.live import LiveHost, LiveLab
from labctl.observe import capture
from labctl.observe.beside import PACKETS
from labctl.observe.ended import completed
from labctl.observe.observer import Observer
from labctl.observe.watched import WatchedHost
from labctl.sequence.cutting import cut
from labctl.sequence.events import Notice
from labctl.sequence.processor import Processor
from labctl.sequence.recording import ObservedHost, Recording


@dataclass(frozen=True)
class Observation:
    """What was seen: the recording, and the packets themselves, by host."""

    recording: Recording
    captures: Mapping[str, capture.Capture]
    interfaces: Mapping[str, Mapping[int, str]]
    commands: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)
    """The command lines of what was let through a gate, by host and process."""
    processor: tuple[Processor, ...] | None = None
    """What processes had of the processors, where every call was wished and it can be told."""

    def pcapng(self) -> Iterator[bytes]:
        """Yield all packets as one pcapng file, each with a comment that names its host."""
        return capture.merge(self.captures, self.interfaces, self.recording.segments)


@dataclass(frozen=True)
class Packets:
    """What was captured on hosts that nothing else was observed on; `notices` say what is missing.

    Of more packets than `most` the first count.
    """

    captures: Mapping[str, capture.Capture]
    interfaces: Mapping[str, Mapping[int, str]]
    notices: tuple[Notice, ...] = ()
    most: int | None = None

    def frames(self) -> Iterator[capture.Frame]:
        """Yield all packets in the order of time."""
        return islice(capture.frames(self.captures), self.most)

    def pcapng(self) -> Iterator[bytes]:
        """Yield all packets as one pcapng file, each with a comment that names its host."""
        return capture.merge(self.captures, self.interfaces, most=self.most)


def packets(
    lab: LiveLab, observer: Observer, folder: Path, network: str | None, most: int | None
) -> Packets:
    """End observing and return the packets; with a `network`, those that were on it."""
    observer.stop(folder)
    hosts = dict(sorted(observer.hosts.items()))
    interfaces = {name: networks_of(lab, name, host.interfaces) for name, host in hosts.items()}
    captures = {name: capture.read(folder / f"{name}.{PACKETS}") for name in sorted(hosts)}
    notices = _notices(hosts.values(), ("packets",))
    notices += [notice for name, own in captures.items() for notice in own.notices(name)]
    if network is not None:
        captures = {n: capture.only(own, interfaces[n], network) for n, own in captures.items()}
    return Packets(captures, interfaces, tuple(notices), most)


def collect(lab: LiveLab, observer: Observer, title: str, folder: Path) -> Observation:
    """End observing and return what was seen; `folder` takes files meanwhile."""
    observer.stop(folder)
    hosts = dict(sorted(observer.hosts.items()))
    lab = _with_addresses(lab, hosts)
    interfaces = {name: networks_of(lab, name, host.interfaces) for name, host in hosts.items()}
    captures = {name: capture.read(folder / f"{name}.{PACKETS}") for name in hosts}
    routers = [name for name, host in hosts.items() if host.container.router]
    segments = capture.segments(captures, interfaces, routers)
    traced = observer.tracer.read(folder, hosts.values(), _by_address(lab))
    notices = _notices(
        hosts.values(), ("calls", "packets") if observer.tracer.beside_hosts else ("packets",)
    )
    processes = traced.processes
    for host in hosts.values():
        if host.end is not None:
            processes = completed(processes, host.name, host.program, host.end)
    recording = Recording(
        title=title,
        tracer=observer.tracer.name,
        hosts=tuple(_observed(lab, host) for host in _in_order(lab, hosts)),
        calls=traced.calls,
        segments=segments.segments,
        states=traced.states,
        processes=processes,
        open_sockets=traced.open_sockets,
        notices=(*notices, *traced.notices, *segments.notices),
    )
    ends = (observer.tracer.stopped, *(host.stopped for host in hosts.values()))
    until = min((end for end in ends if end is not None), default=None)
    recording = recording if until is None else cut(recording, until)
    commands = {(h.name, pid): words for h in hosts.values() for pid, words in h.commands.items()}
    return Observation(recording, captures, interfaces, commands, traced.processor)


def _notices(hosts: Iterable[WatchedHost], recorded: tuple[str, ...]) -> list[Notice]:
    """Return what the observer has to say of hosts beside which it recorded something."""
    told: list[Notice] = []
    for host in hosts:
        told += host.notes
        if host.end is not None:
            told.append(host.end.notice(host.name, recorded))
    return told


def _with_addresses(lab: LiveLab, watched: Mapping[str, WatchedHost]) -> LiveLab:
    """Return the lab with the addresses of hosts that had ended when it was looked at."""
    subnets = {key: ip_network(subnet) for key, subnet in lab.networks.items()}

    def addressed(host: LiveHost) -> LiveHost:
        if host.addresses or host.name not in watched:
            return host
        known = [ip_address(told) for told in watched[host.name].container.addresses]
        found = {key: str(ip) for ip in known for key, net in subnets.items() if ip in net}
        return replace(host, addresses=found)

    return replace(lab, hosts=tuple(addressed(host) for host in lab.hosts))


def _in_order(lab: LiveLab, hosts: Mapping[str, WatchedHost]) -> Iterable[WatchedHost]:
    return (hosts[host.name] for host in lab.hosts if host.name in hosts)


def _observed(lab: LiveLab, host: WatchedHost) -> ObservedHost:
    return ObservedHost(
        name=host.name,
        addresses=lab.host(host.name).addresses,
        programs=host.programs,
        router=host.container.router,
        whole=host.whole,
    )


def networks_of(lab: LiveLab, host: str, interfaces: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """Return the network of each of a host's interfaces: known by the address on it."""
    known = {ip: network for network, ip in lab.host(host).addresses.items()}
    return {
        index: next((known[ip] for ip in ips if ip in known), "lo")
        for index, ips in interfaces.items()
    }


def _by_address(lab: LiveLab) -> dict[str, str]:
    return {ip: host.name for host in lab.hosts for ip in host.addresses.values()}
