#!/usr/bin/python3
"""Correct over UDP: socket, sendto, recvfrom, close.

udp_client.py HOST PORT [BYTES [TIMES]]: asks for datagrams of so many bytes, so many times.
"""

import os
import signal
import socket
import sys


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    times = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    for _ in range(times):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(3)
        sock.sendto(f"GET {count}\n".encode(), (host, port))
        reply, _server = sock.recvfrom(65535)
        sock.close()
        print(f"{len(reply)} of {count} bytes", flush=True)
        if len(reply) != count:
            sys.exit(1)


if __name__ == "__main__":
    main()
