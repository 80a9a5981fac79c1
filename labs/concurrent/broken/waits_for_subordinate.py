#!/usr/bin/python3
"""Broken: leaves no zombie, but waits for each subordinate before it accepts again.

It forks, and is not concurrent all the same: the second client waits for the first.
"""

import os
import socket
import sys

listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, client = listener.accept()
    subordinate = os.fork()
    if subordinate == 0:
        listener.close()
        while data := connection.recv(4096):
            connection.sendall(data)
        connection.close()
        os._exit(0)
    connection.close()
    os.waitpid(subordinate, 0)
