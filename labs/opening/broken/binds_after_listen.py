#!/usr/bin/python3
"""Broken: a server that calls bind after listen, and does not look at what it says.

binds_after_listen.py PORT
"""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.listen(5)
try:
    server.bind(("0.0.0.0", int(sys.argv[1])))
except OSError as error:
    print(f"bind: {error.strerror}", flush=True)
while True:
    connection, _ = server.accept()
    connection.close()
