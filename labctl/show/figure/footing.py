"""Below a figure, in words: what it does not draw, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labctl.show.figure.model import Figure, Group

_MOST_RANGES = 8
"""So many ranges of numbers are told."""


def foot_lines(figure: Figure) -> Iterator[str]:
    """Yield what a figure has to say of what it does not draw."""
    if not figure.lanes:
        yield nothing(figure)
    yield from map(_group, figure.groups)
    # Segments and calls of the same are told in one line.
    alike: dict[str, list[str]] = {}
    for why, count in sorted(figure.left_out.items(), key=lambda item: item[0][:8] != "segments"):
        told = f"{count:,} {_singular(why) if count == 1 else why}"
        what, of, rest = told.partition(" of ")
        alike.setdefault(of + rest if of else what, []).append(what)
    for rest, parts in alike.items():
        yield f"not drawn: {' and '.join(parts)}{rest if rest not in parts else ''}"


def nothing(figure: Figure) -> str:
    """Return why a figure is empty."""
    if figure.left_out:
        return "nothing to draw: nothing was seen but what is left out (--all-calls draws more)"
    return "nothing to draw: no call and no segment was seen"


def _group(group: Group) -> str:
    members = len(group.members)
    what = f"{members:,} more connection{'s' if members > 1 else ''}"
    like = "of other kinds" if group.like is None else f"like {group.like}"
    which = f"{_ranges(group.members)} (--connection {group.members[0]})"
    return f"{what} {like}: {which}, {group.calls:,} calls, {group.segments:,} segments"


def _ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers in words: `7, 9-12`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    told = ["-".join(map(str, some)) for some in found[:_MOST_RANGES]]
    return ", ".join([*told, *["..."][: len(found) - _MOST_RANGES]])


def _singular(why: str) -> str:
    first, _, rest = why.partition(" ")
    rest = rest.replace("that concern ", "that concerns ").replace("wait,", "waits,")
    return f"{first.removesuffix('s')} {rest.replace('or set up', 'or sets up')}"
