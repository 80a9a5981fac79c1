#!/usr/bin/python3
"""Broken: a client that binds a port of its own choice, and closes first.

fixed_port.py HOST PORT OWN-PORT. The first run works; the next one within 60 s does not.
"""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
try:
    sock.bind(("0.0.0.0", int(sys.argv[3])))
    sock.connect((sys.argv[1], int(sys.argv[2])))
except OSError as error:
    print(error.strerror, flush=True)
    sys.exit(1)
print(sock.recv(1024).decode(), end="", flush=True)
sock.close()
