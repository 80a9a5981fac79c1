"""A pattern that cannot be read."""

from __future__ import annotations

Key = str | int


class PatternError(ValueError):
    """What is wrong in a pattern, where, and what to do about it.

    `path` leads to the wrong part through the pattern's mappings and lists; where `key` is
    True, it is the key at its end that is wrong, and not the value.
    """

    def __init__(
        self, message: str, hint: str = "", path: tuple[Key, ...] = (), *, key: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        self.key = key

    def __str__(self) -> str:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        told = f"{where.removeprefix('.')}: {self.message}" if where else self.message
        return f"{told} ({self.hint})" if self.hint else told

    def below(self, *path: Key) -> PatternError:
        """Return the same error, with the path to where its own path begins."""
        return PatternError(self.message, self.hint, (*path, *self.path), key=self.key)
