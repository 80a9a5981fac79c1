"""Captured packets of several hosts, joined to segments and merged into one file."""

from labctl.observe.capture.frames import Frame, frames, only
from labctl.observe.capture.join import Joined, segments
from labctl.observe.capture.merge import merge
from labctl.observe.capture.pcap import Capture, Record, read

__all__ = ["Capture", "Frame", "Joined", "Record", "frames", "merge", "only", "read", "segments"]
