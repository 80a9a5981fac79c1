#!/usr/bin/python3
"""Wrong on purpose: a peer that opens whatever path it is asked for, inside its folder or not.

Run it as you would run `peer`.
"""

import io
import sys
from pathlib import Path

sys.path.insert(0, "/opt/netprog")

import peer
import uploader
from command import run


def open_anything(folder: str, name: str) -> io.FileIO:
    return io.FileIO(Path(folder) / name)


vars(uploader)["open_shared"] = open_anything
chosen = peer.arguments()
run(lambda: chosen.program(chosen), ended=0)
