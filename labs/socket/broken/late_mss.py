#!/usr/bin/python3
"""Broken on purpose: chooses the largest segment after `connect`, when the SYN has told it."""

import socket
import sys

connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
connection.connect((sys.argv[1], 9300))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)
connection.sendall(b"size 20000\n")
received = 0
while received < 20000:
    received += len(connection.recv(65536))
connection.close()
print(f"{received} bytes")
