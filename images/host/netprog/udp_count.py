#!/usr/bin/python3
"""Does a host count its datagrams right? Read its counter udpInDatagrams over SNMP, send it
datagrams, read again, and account for every one that it has counted meanwhile.

The counter counts what was delivered to any program on that host (RFC 4113). So it counts
the questions about itself: a GetRequest to port 161 is a datagram like another.

An agent need not look at its kernel for every request: Debian's snmpd tells for some seconds
what it has read once. An answer that is not the one before was read just now, and the
request that brought it is the last that it counts. So both times we ask until it changes.
"""

import argparse
import json
import socket
import time
from dataclasses import asdict, dataclass

import ber
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from snmp_get import UDP_IN_DATAGRAMS, add_options, get
from sockets import set_timeouts

PAUSE = 0.25
"""Seconds between two requests, while the agent still says what it said before."""


@dataclass
class Report:
    """The counter before and after, and what it has counted in between."""

    before: int
    after: int
    datagrams: int
    requests: int
    others: int


def count(options: argparse.Namespace) -> Report:
    """Read, send, read again. Raises Failure, and OSError when that is reported."""
    before, _ = fresh(options)
    send(options)
    after, requests = fresh(options)
    # A Counter32 begins again at 0 after 2^32 - 1 (RFC 2578, 7.1.6).
    grew = (after - before) % (1 << 32)
    return Report(before, after, options.count, requests, grew - options.count - requests)


def fresh(options: argparse.Namespace) -> tuple[int, int]:
    """The counter as the kernel has it now, and how many requests it took.

    Raises Failure when it has not changed within `options.patience` seconds.
    """
    deadline = time.monotonic() + options.patience
    first = get(options, UDP_IN_DATAGRAMS)
    requests, value = first.sent, ber.number(first.value)
    while time.monotonic() < deadline:
        time.sleep(PAUSE)
        answer = get(options, UDP_IN_DATAGRAMS)
        requests += answer.sent
        before, value = value, ber.number(answer.value)
        # Of a request that was sent twice nobody knows which of the two was answered.
        if value != before and answer.sent == 1:
            return value, requests
    raise Failure(f"udpInDatagrams is {value} and does not grow, though {requests} requests came")


def send(options: argparse.Namespace) -> None:
    """Send the datagrams one by one; only a reply shows that one was delivered.

    Raises Failure when a reply does not come.
    """
    server = (options.host, options.to)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.connect(server)
        set_timeouts(sock, options.timeout)
        for number in range(1, options.count + 1):
            sock.send(b"echo %d" % number)
            while sock.recv(1 << 16) != b"%d" % number:
                pass
    except BlockingIOError as error:
        raise Failure(f"{endpoint(server)}: no reply to datagram {number}") from error
    except OSError as error:
        raise Failure(f"{endpoint(server)}: {reason(error)}") from error
    finally:
        sock.close()


def main() -> None:
    options = arguments()
    try:
        report = count(options)
    except (ber.Malformed, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise Failure(f"{endpoint((options.host, options.port))}: {why}") from error
    if options.json:
        print(json.dumps(asdict(report)), flush=True)
    else:
        tell(report, options)
    if report.others < 0:
        raise Failure(f"{-report.others} datagrams were not counted, though they were answered")


def tell(report: Report, options: argparse.Namespace) -> None:
    grew = report.datagrams + report.requests + report.others
    say(f"udpInDatagrams was {report.before} and is {report.after}: it grew by {grew}")
    say(f"{report.datagrams:6} datagrams to port {options.to}, each of them answered")
    say(f"{report.requests:6} requests to port {options.port}, to read the counter")
    say(f"{report.others:6} others")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Account for the datagrams a host has counted.")
    parser.add_argument("host", type=host_name, help="it runs a udp_server and an SNMP agent")
    parser.add_argument("--count", type=port_number, default=10, help="how many to send (65535)")
    parser.add_argument("--to", type=port_number, default=9000, help="the udp_server's port")
    parser.add_argument("--patience", type=seconds, default=30, help="seconds for a new value")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
