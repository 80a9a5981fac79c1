#!/usr/bin/python3
"""Broken: nobody waits for the subordinates, so each remains as a zombie when it has ended."""

import os
import socket
import sys

listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, client = listener.accept()
    if os.fork() == 0:
        listener.close()
        while data := connection.recv(4096):
            connection.sendall(data)
        connection.close()
        os._exit(0)
    connection.close()
