"""What the agent could not do."""

from __future__ import annotations


class Failure(Exception):
    """Something could not be done; its text is one sentence for the user."""
