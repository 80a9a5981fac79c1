#!/usr/bin/python3
"""Broken on purpose: a client that closes although it has not received the answer.

Its kernel sends a RST: what the server sends, or has sent, is lost, and it gets ECONNRESET.
"""

import select
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
client.sendall(b"how do we part?\n")
poll = select.poll()
poll.register(client, select.POLLIN)
poll.poll(20_000)
client.close()
