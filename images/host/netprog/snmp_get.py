#!/usr/bin/python3
"""Read one variable from an SNMP agent: socket, sendto, recvfrom, close, over UDP.

The request asks for a value by its name, an OBJECT IDENTIFIER, with NULL where the value would
be; the response is the same message with the value in it. snmp.py says what they are made of,
ber.py how that becomes bytes. With --explain both are shown byte by byte.

UDP promises nothing, so a request without a response is sent again; with the same request-id,
as whichever response comes first will do.
"""

import argparse
import json
import re
import secrets
import socket
import time
from dataclasses import dataclass

import ber
import snmp
from command import Failure, endpoint, host_name, port_number, printable, reason, run, say, seconds
from snmp_explain import explained
from sockets import set_timeouts

UDP_IN_DATAGRAMS = "1.3.6.1.2.1.7.1.0"
"""iso.org.dod.internet.mgmt.mib-2.udp.udpInDatagrams, and .0: the only instance (RFC 4113)."""

KNOWN = {
    "udpInDatagrams": UDP_IN_DATAGRAMS,
    "udpNoPorts": "1.3.6.1.2.1.7.2.0",
    "udpInErrors": "1.3.6.1.2.1.7.3.0",
    "udpOutDatagrams": "1.3.6.1.2.1.7.4.0",
    "sysDescr": "1.3.6.1.2.1.1.1.0",
    "sysUpTime": "1.3.6.1.2.1.1.3.0",
}

MOST = 65535


@dataclass(frozen=True)
class Answer:
    """A value and the two messages; `sent` is how often the request was."""

    value: ber.Element
    request: bytes
    response: bytes
    sent: int
    seconds: float


def get(options: argparse.Namespace, oid: str) -> Answer:
    """Ask an agent, as `add_options` has it, for one variable.

    Raises Failure, and OSError when that is reported.
    """
    agent = (socket.gethostbyname(options.host), options.port)
    number = secrets.randbelow(1 << 31)
    request = snmp.get_request(options.version, options.community, number, oid)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        # Connected, it hears of an agent that is not there, and nobody else's datagrams.
        sock.connect(agent)
        for sent in range(1, options.tries + 1):
            started = time.monotonic()
            sock.send(request)
            while (left := started + options.timeout - time.monotonic()) > 0:
                set_timeouts(sock, left)
                try:
                    data = sock.recv(MOST)
                except BlockingIOError:
                    break
                value = snmp.response(data, number)
                if value is not None:
                    return Answer(value, request, data, sent, time.monotonic() - started)
    except ber.Malformed as error:
        raise Failure(f"a response that cannot be read: {error}") from error
    except snmp.Refused as error:
        raise Failure(f"no value for {oid}: {error}") from error
    finally:
        sock.close()
    raise Failure(f"no response to {options.tries} requests, {options.timeout:g} s each")


def main() -> None:
    options = arguments()
    at = endpoint((options.host, options.port))
    try:
        answer = get(options, options.oid)
        value = snmp.text(answer.value)
        both = [explained(data) for data in (answer.request, answer.response)]
    except (Failure, ber.Malformed, OSError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise Failure(f"{at}: {why}") from error
    if options.json:
        report = {
            "oid": options.oid,
            "type": snmp.TAGS.get(answer.value.tag, f"{answer.value.tag:02x}"),
            "value": ber.number(answer.value) if answer.value.tag in snmp.NUMBERS else value,
            "sent": answer.sent,
            "seconds": answer.seconds,
            "request": answer.request.hex(),
            "response": answer.response.hex(),
        }
        print(json.dumps(report), flush=True)
        return
    if options.explain:
        for title, lines in zip(("request", "response"), both, strict=True):
            say(f"{title}:")
            for line in lines:
                say(f"  {line}")
    print(printable(value), flush=True)


def oid(text: str) -> str:
    """An argument that is an OBJECT IDENTIFIER or a known name. Raises ArgumentTypeError."""
    name = KNOWN.get(text.removesuffix(".0"), text.removeprefix("."))
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10}){1,127}", name):
        known = ", ".join(KNOWN)
        raise argparse.ArgumentTypeError(f"{text!r} is neither numbers with dots nor {known}")
    first, second, *rest = map(int, name.split("."))
    # Of the first two numbers, 2 and 39 are the most (X.660); of all, 2^32 - 1 (RFC 2578, 3.5).
    if first > 2 or second > 39 or any(number >= 1 << 32 for number in rest):
        raise argparse.ArgumentTypeError(f"{text!r} is no OBJECT IDENTIFIER")
    return name


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Read one variable from an SNMP agent.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("oid", nargs="?", type=oid, default=UDP_IN_DATAGRAMS)
    add_options(parser)
    parser.add_argument("--explain", action="store_true", help="show both messages byte by byte")
    return parser.parse_intermixed_args()


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of whatever asks an agent."""
    parser.add_argument("--port", type=port_number, default=161)
    parser.add_argument("--community", default="public", help="what lets one read")
    parser.add_argument("--version", choices=tuple(snmp.VERSIONS), default="1")
    parser.add_argument("--tries", type=int, choices=range(1, 11), metavar="1..10", default=3)
    parser.add_argument("--timeout", type=seconds, default=2, help="seconds to wait each time")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


if __name__ == "__main__":
    run(main)
