"""Reads what the kernel knows of a TCP connection: tcp_info (linux/tcp.h)."""

from __future__ import annotations

import struct

from labctl.observe.sockets.fields import Malformed, unpack
from labctl.observe.sockets.model import TcpInfo

_KNOWN = struct.Struct("=8B24I")
"""The fields that every kernel has, up to tcpi_total_retrans; newer ones come after."""
_RTO, _SND_MSS, _UNACKED = 0, 2, 4
_RTT, _RTTVAR, _SND_CWND, _TOTAL_RETRANS = 15, 16, 18, 23


def state(block: bytes) -> int:
    """Return the number of the state. Raises Malformed where there is none."""
    if not block:
        raise Malformed("a tcp_info of no bytes")
    return block[0]


def read(block: bytes) -> TcpInfo:
    """Return the fields that are shown. Raises Malformed where the block is too short."""
    numbers = unpack(_KNOWN, block)[8:]
    return TcpInfo(
        rtt=numbers[_RTT],
        rtt_variance=numbers[_RTTVAR],
        retransmit_timeout=numbers[_RTO],
        congestion_window=numbers[_SND_CWND],
        mss=numbers[_SND_MSS],
        unacknowledged=numbers[_UNACKED],
        retransmitted=numbers[_TOTAL_RETRANS],
    )
