"""Sends one line to a server, and receives until it ends the connection, 3 s at the most
after its answer."""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.settimeout(60)
    connection.sendall(b"hello\n")
    connection.recv(1024)
    connection.settimeout(3)
    try:
        while connection.recv(1024):
            pass
    except TimeoutError:
        sys.exit("the server has answered, but does not end the connection")
