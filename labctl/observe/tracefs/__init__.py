"""Reads traces of the kernel's tracefs (Documentation/trace/ftrace of Linux) into events."""

from labctl.observe.tracefs.parse import Parsed, ended_early, parse
from labctl.observe.tracefs.tasks import Follow
from labctl.observe.tracefs.wanted import CALLS

__all__ = ["CALLS", "Follow", "Parsed", "ended_early", "parse"]
