"""How often each process went from its own code into the kernel, and how long it was there. Pure.

A system call is a crossing of the line between a program and the operating system (figure 6-26):
down with the call, up again with its return.
"""

from labctl.sequence.crossings.findings import Finding, findings
from labctl.sequence.crossings.model import Crossings, Kind
from labctl.sequence.crossings.tally import WAITING, tally

__all__ = ["WAITING", "Crossings", "Finding", "Kind", "findings", "tally"]
