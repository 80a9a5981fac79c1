#!/usr/bin/python3
"""A UDP client that sends datagrams and waits for nothing: socket, sendto, close.

`sendto` says how many bytes the kernel took, never whether they arrived.
"""

import argparse
import socket

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say
from lettered import message


def main() -> None:
    options = arguments()
    at = endpoint((options.host, options.port))
    sent = 0
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for line in chosen.choose(sock, options):
            say(line)
        receiver = (socket.gethostbyname(options.host), options.port)
        for number in range(options.messages):
            sent += sock.sendto(message(number, options.size), receiver)
    except OSError as error:
        raise Failure(f"{at}: {reason(error)} after {sent} bytes") from error
    finally:
        sock.close()
    say(f"sent {options.messages} datagrams, {sent} bytes, to {at}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send datagrams.")
    parser.add_argument("host", type=host_name)
    parser.add_argument("--port", type=port_number, default=9200)
    parser.add_argument("--messages", type=chosen.number, default=1, help="how many")
    parser.add_argument("--size", type=chosen.number, default=1000, help="bytes of each")
    chosen.add_arguments(parser, "sndbuf")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
