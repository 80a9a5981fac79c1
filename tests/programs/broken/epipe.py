#!/usr/bin/python3
"""Broken: the client goes on sending requests on a connection that the server has closed.

The first is answered with RST, the next fails with EPIPE (Python ignores SIGPIPE).
epipe.py HOST PORT [BYTES]
"""

import os
import signal
import socket
import sys
import time


def main() -> None:
    signal.alarm(int(os.environ.get("LIMIT", "20")))
    host, port = sys.argv[1], int(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    try:
        for _ in range(10):
            sock.sendall(f"GET {count}\n".encode())
            came = 0
            while piece := sock.recv(65536):
                came += len(piece)
            print(f"{came} of {count} bytes", flush=True)
            time.sleep(0.05)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
