#!/usr/bin/python3
"""Wrong on purpose: a peer that writes what arrives under the file's own name at once.

Who shares the folder shares half a file, and a download that breaks leaves it there. Run it as
you would run `peer get`.
"""

import io
import sys

sys.path.insert(0, "/opt/netprog")

import fetching
import peer
from command import run
from receiving import Arrival


class Early(Arrival):
    """No hidden file that is renamed when it is whole."""

    def _open(self) -> io.FileIO:
        return io.FileIO(self.target, "w")


vars(fetching)["Arrival"] = Early
chosen = peer.arguments()
run(lambda: chosen.program(chosen))
