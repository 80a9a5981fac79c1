#!/usr/bin/python3
"""Broken on purpose: takes what one recv returns for a whole message, and closes."""

import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", 9100))
server.listen(5)
while True:
    connection, _ = server.accept()
    message = connection.recv(16384)
    print(f"the message has {len(message)} bytes", flush=True)
    connection.close()
