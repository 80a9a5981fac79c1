#!/usr/bin/python3
"""Broken: the main process forgets to close its descriptor of the connection.

It is the subordinate's close that the client waits for, but a connection ends only when its last
descriptor is closed. So the client never sees the end, and M's table fills up.
"""

import os
import signal
import socket
import sys

listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
connections = []
while True:
    connection, client = listener.accept()
    if os.fork() == 0:
        listener.close()
        while data := connection.recv(4096):
            connection.sendall(data)
        connection.close()
        os._exit(0)
    connections.append(connection)  # keeps Python from closing it by itself
