#!/usr/bin/python3
"""Broken: a client that does not look at what connect says, and sends all the same.

ignores_refused.py HOST PORT, where nobody listens.
"""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect_ex((sys.argv[1], int(sys.argv[2])))
try:
    sock.sendall(b"hello\n")
except OSError as error:
    print(f"send: {error.strerror}", flush=True)
sock.close()
