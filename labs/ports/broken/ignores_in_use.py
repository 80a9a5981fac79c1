#!/usr/bin/python3
"""Broken: a server that does not look at what bind says. listen then takes a port of its own.

ignores_in_use.py PORT
"""

import contextlib
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
with contextlib.suppress(OSError):
    server.bind(("0.0.0.0", int(sys.argv[1])))
server.listen(5)
print(f"listening on port {server.getsockname()[1]}", flush=True)
while True:
    connection, _ = server.accept()
    connection.close()
