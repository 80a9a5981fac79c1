#!/usr/bin/python3
"""chain.py PORT TIME FILE SIZE [NEXT-HOST]: one link of a plain chain of sockets.

Sends FILE to the next host, from TIME on; with a SIZE (bytes) other than 0 it first has to
come from the host before, and each 64 KiB are sent on as soon as they are here.
"""

import json
import socket
import sys
import time
from pathlib import Path

PIECE = 64 * 1024

port, at, path, size = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
listener = socket.create_server(("0.0.0.0", port))
time.sleep(max(at - time.time(), 0))
following = None
while sys.argv[5:] and following is None and time.time() < at + 20:
    try:
        following = socket.create_connection((sys.argv[5], port))
    except ConnectionRefusedError:
        time.sleep(0.02)
if size:
    source, _ = listener.accept()
    with Path(path).open("wb") as file:
        while size and (piece := source.recv(min(PIECE, size), socket.MSG_WAITALL)):
            size -= len(piece)
            file.write(piece)
            if not size:
                file.flush()
                print(json.dumps({"ended": time.time()}), flush=True)
            if following is not None:
                following.sendall(piece)
elif following is not None:
    with Path(path).open("rb") as file:
        following.sendfile(file)
if following is not None:
    following.shutdown(socket.SHUT_WR)
    following.recv(1)
