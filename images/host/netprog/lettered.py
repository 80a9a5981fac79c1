"""Messages that a reader can tell apart: the first is all `a`, the second all `b`, ..."""


def message(number: int, size: int) -> bytes:
    """The message of that number, counted from 0: `size` times its letter."""
    return bytes([ord("a") + number % 26]) * size


def shown(data: bytes) -> str:
    """What data is made of, in few words: `a×3 b×100`; at most six runs of one letter."""
    runs: list[tuple[str, int]] = []
    rest = data
    while rest:
        left = rest.lstrip(rest[:1])
        runs.append((rest[:1].decode(errors="backslashreplace"), len(rest) - len(left)))
        rest = left
        if len(runs) > 6:
            return " ".join(f"{letter}×{count}" for letter, count in runs[:6]) + " ..."
    return " ".join(f"{letter}×{count}" for letter, count in runs)
