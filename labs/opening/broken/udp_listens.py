#!/usr/bin/python3
"""Broken: a UDP server that calls listen. There are no connections to listen for.

udp_listens.py PORT
"""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", int(sys.argv[1])))
try:
    server.listen(5)
except OSError as error:
    print(f"listen: {error.strerror}", flush=True)
while True:
    request, client = server.recvfrom(65535)
    server.sendto(request.removeprefix(b"echo "), client)
