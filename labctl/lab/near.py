"""The known word that a mistyped one most probably means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to `word` (difflib's ratio, at least 0.6), or None."""
    by_folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], what: str, most: int = 12) -> str:
    """Return a hint: the nearest word when there is one, else the first `most` known ones."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if not names:
        return f"there are no {what}"
    more = ", ..." if len(names) > most else ""
    return f"{what}: {', '.join(names[:most])}{more}"
