"""The keys that a Compose file may have; their values are left to Compose.

Source: the Compose Specification, schema/compose-spec.json
(https://github.com/compose-spec/compose-spec).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labctl.errors import Problem
from labctl.lab.near import nearest
from labctl.lab.source import KeyPath, Source


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOP = _words("name version include services models networks volumes secrets configs")
SERVICE = _words(
    """
    annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs
    container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime
    cpu_shares cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices
    dns dns_opt dns_search domainname entrypoint env_file environment expose extends
    external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation
    label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness
    memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid pids_limit
    platform ports post_start pre_stop privileged profiles provider pull_policy
    pull_refresh_after read_only restart runtime scale secrets security_opt shm_size stdin_open
    stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user
    userns_mode uts volumes volumes_from working_dir
    """
)
SERVICE_NETWORK = _words(
    """
    aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips
    mac_address priority
    """
)
HEALTHCHECK = _words("disable interval retries start_interval start_period test timeout")
EXTENDS = _words("file service")
DEPENDENCY = _words("condition required restart")
NETWORK = _words(
    """
    attachable driver driver_opts enable_ipv4 enable_ipv6 external internal ipam labels name
    """
)
IPAM = _words("driver config options")
IPAM_CONFIG = _words("subnet ip_range gateway aux_addresses")
VOLUME = _words("driver driver_opts external labels name")

# Where keys are known: `*` stands for any one key or list index.
KNOWN: dict[tuple[str, ...], frozenset[str]] = {
    (): TOP,
    ("services", "*"): SERVICE,
    ("services", "*", "healthcheck"): HEALTHCHECK,
    ("services", "*", "networks", "*"): SERVICE_NETWORK,
    ("services", "*", "extends"): EXTENDS,
    ("services", "*", "depends_on", "*"): DEPENDENCY,
    ("networks", "*"): NETWORK,
    ("networks", "*", "ipam"): IPAM,
    ("networks", "*", "ipam", "config", "*"): IPAM_CONFIG,
    ("volumes", "*"): VOLUME,
}


def unknown_keys(source: Source) -> Iterator[Problem]:
    """Yield a problem for each key that the Compose Specification does not have."""
    for pattern, known in KNOWN.items():
        for path, value in _matches(source.data, pattern, ()):
            for key in value if isinstance(value, dict) else ():
                if key not in known and not key.startswith("x-"):
                    where = f" in {'.'.join(map(str, path))}" if path else ""
                    yield source.problem(
                        source.at_key((*path, key)),
                        f"unknown key `{key}`{where}",
                        _hint(key, known),
                    )


def _hint(key: str, known: frozenset[str]) -> str:
    near = nearest(key, sorted(known))
    return f"did you mean `{near}`?" if near else "a key of your own must start with `x-`"


def _matches(value: Any, pattern: tuple[str, ...], path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if not pattern:
        yield path, value
        return
    if isinstance(value, dict):
        keys = value if pattern[0] == "*" else [k for k in value if k == pattern[0]]
        for key in keys:
            yield from _matches(value[key], pattern[1:], (*path, key))
    elif isinstance(value, list) and pattern[0] == "*":
        for i, item in enumerate(value):
            yield from _matches(item, pattern[1:], (*path, i))
