#!/usr/bin/python3
"""Wrong on purpose: a peer that sends zeros instead of the file. Run it as `peer run`."""

import io
import socket
import sys

sys.path.insert(0, "/opt/netprog")

import peer
import uploader
from command import run


def send_zeros(connection: socket.socket, _file: io.FileIO, offset: int, end: int) -> None:
    connection.sendall(bytes(end - offset))


vars(uploader)["send_file"] = send_zeros
chosen = peer.arguments()
run(lambda: chosen.program(chosen), ended=0)
