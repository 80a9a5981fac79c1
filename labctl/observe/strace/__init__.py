"""System calls as strace(1) writes them, made into events. Pure."""

from labctl.observe.strace.options import options
from labctl.observe.strace.parse import Parsed, parse

__all__ = ["Parsed", "options", "parse"]
