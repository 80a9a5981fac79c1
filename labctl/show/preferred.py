"""What of a play is worth drawing first: what was judged, and what something is to be said of."""

from __future__ import annotations

from dataclasses import replace

from labctl.play.judged import Judged
from labctl.show.figure.model import Options


def preferring(judged: Judged, options: Options) -> Options:
    """Return the options with the connections to prefer.

    First those that are not as the pattern says, then those with errors, those that were
    judged, and those with warnings.
    """
    verdict = judged.verdict
    # A verdict is false where something failed.
    failed, as_wanted = ((), ()) if verdict is None else (verdict.failed, verdict.judged)
    order = (*failed, *_diagnosed(judged, "error"), *as_wanted, *_diagnosed(judged, "warning"))
    return replace(options, prefer=tuple(dict.fromkeys(order)))


def _diagnosed(judged: Judged, level: str) -> tuple[int, ...]:
    found = (diagnosis for diagnosis in judged.diagnoses if diagnosis.level == level)
    return tuple(number for diagnosis in found for number in diagnosis.connections)
