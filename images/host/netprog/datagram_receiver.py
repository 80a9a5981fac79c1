#!/usr/bin/python3
"""A UDP receiver that stops reading: socket, bind, and recvmsg for each datagram.

Each recvmsg returns one datagram, never two and never a part of a second one. Where the buffer
that it is given is too short, the rest of the datagram is lost, and the flag MSG_TRUNC says so
(recv(2)). While it does not read, datagrams wait in the receive queue; those for which there is
no room are dropped by the kernel, and nobody is told: neither this program nor the sender.
"""

import argparse
import socket

import chosen
from command import Failure, endpoint, host_name, port_number, reason, run, say, seconds
from lettered import shown
from pausing import Pause, words


def main() -> None:
    options = arguments()
    pause = Pause()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for line in chosen.choose(sock, options):
            say(line)
        sock.bind((options.host, options.port))
    except OSError as error:
        at = endpoint((options.host, options.port))
        raise Failure(f"cannot bind to {at}: {reason(error)}") from error
    say(f"receiving on {endpoint(sock.getsockname())}")

    for number in range(options.count or 1 << 62):
        if number == options.stop_after:
            pause.forget()
            say(f"stopped reading after {number} datagrams, {words(options.pause)}")
            say(f"reading again after {pause.wait(options.pause):.2f} s")
        data, _, flags, sender = sock.recvmsg(options.size)
        cut = ", cut: MSG_TRUNC" if flags & socket.MSG_TRUNC else ""
        of = f"{len(data)} bytes{cut}: {shown(data)}"
        say(f"datagram {number + 1} from {endpoint(sender)}: {of}")
    sock.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Receive datagrams, but stop for a while.")
    parser.add_argument("--host", type=host_name, default="0.0.0.0", help="address to bind to")
    parser.add_argument("--port", type=port_number, default=9200, help="its port (0: any free)")
    parser.add_argument("--stop-after", type=chosen.number, metavar="N", help="datagrams")
    parser.add_argument("--pause", type=seconds, help="stop for so long; else until SIGUSR1")
    parser.add_argument("--size", type=chosen.number, default=65535, help="bytes of the buffer")
    parser.add_argument("--count", type=chosen.number, help="end after so many datagrams")
    chosen.add_arguments(parser, "rcvbuf")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, ended=0)
