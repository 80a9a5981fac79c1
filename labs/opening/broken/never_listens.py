#!/usr/bin/python3
"""Broken: a server that forgets listen. Its port is bound but closed, and accept fails.

never_listens.py PORT
"""

import signal
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", int(sys.argv[1])))
try:
    server.accept()
except OSError as error:
    print(f"accept: {error.strerror}", flush=True)
signal.pause()
