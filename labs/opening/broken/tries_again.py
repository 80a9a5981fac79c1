#!/usr/bin/python3
"""Broken: a client that tries connect again on the socket on which it has failed.

tries_again.py HOST PORT. Linux lets it; connect(2) says: make a new socket.
"""

import contextlib
import socket
import sys
import time

target = (sys.argv[1], int(sys.argv[2]))
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
for _ in range(3):
    with contextlib.suppress(OSError):
        sock.connect(target)
        break
    time.sleep(0.1)
sock.close()
