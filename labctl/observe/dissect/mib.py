"""The names of some objects, so that numbers are easier to read (RFC 4113, RFC 3418)."""

from __future__ import annotations

_MIB_2 = "1.3.6.1.2.1"
NAMES = {
    f"{_MIB_2}.1.1": "sysDescr",
    f"{_MIB_2}.1.2": "sysObjectID",
    f"{_MIB_2}.1.3": "sysUpTime",
    f"{_MIB_2}.1.4": "sysContact",
    f"{_MIB_2}.1.5": "sysName",
    f"{_MIB_2}.1.6": "sysLocation",
    f"{_MIB_2}.1.7": "sysServices",
    f"{_MIB_2}.7.1": "udpInDatagrams",
    f"{_MIB_2}.7.2": "udpNoPorts",
    f"{_MIB_2}.7.3": "udpInErrors",
    f"{_MIB_2}.7.4": "udpOutDatagrams",
    f"{_MIB_2}.7.8": "udpHCInDatagrams",
    f"{_MIB_2}.7.9": "udpHCOutDatagrams",
    f"{_MIB_2}.6.10": "tcpInSegs",
    f"{_MIB_2}.6.11": "tcpOutSegs",
}


def named(identifier: str) -> str:
    """Return an object's numbers, and its name where it is known: `1.3. ... .1.0 (name.0)`."""
    stem, _, instance = identifier.rpartition(".")
    if stem in NAMES:
        return f"{identifier} ({NAMES[stem]}.{instance})"
    if identifier in NAMES:
        return f"{identifier} ({NAMES[identifier]}, no instance)"
    return identifier
