"""How much hypothesis tries: `quick`, the same in each run, or `thorough`, something new in each.

make fuzz        # or: LABCTL_FUZZ=thorough python -m pytest tests/unit
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# What a test needs depends on the machine and on what else it does: no deadline, and no word on
# how long it takes to think of something.
settings.register_profile(
    "quick",
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough",
    max_examples=400,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("LABCTL_FUZZ", "quick"))
