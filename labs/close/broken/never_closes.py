#!/usr/bin/python3
"""Broken on purpose: a server that answers and never closes.

The client's FIN is acknowledged, and the connection stays in CLOSE-WAIT for as long as this
program runs, with its descriptor: until there are no more (EMFILE).
"""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", int(sys.argv[1])))
server.listen(5)
print("listening", flush=True)
forgotten = []
while True:
    connection, _ = server.accept()
    forgotten.append(connection)  # else Python would close it with its last reference
    line = connection.recv(65536)
    connection.sendall(b"%d bytes\n" % len(line))
    while connection.recv(65536):
        pass
