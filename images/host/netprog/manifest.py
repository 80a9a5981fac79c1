"""A file as pieces: how large they are, and the SHA-256 of each, by which one that came from a
stranger is known to be right before it is passed on."""

import hashlib
import os
import struct
from dataclasses import dataclass

from napster import Malformed

SMALLEST = 64 * 1024
"""Bytes of a piece: small, as a peer can pass a piece on only when the whole of it is there."""

LARGEST = 1 << 20
MOST_PIECES = 8192
"""From there on pieces grow, up to LARGEST: the hashes, and who has which, must stay short."""

DIGEST = hashlib.sha256().digest_size


def piece_size(size: int) -> int:
    """Bytes of each piece but the last of a file of `size` bytes: the smallest power of two
    from SMALLEST on with which there are at most MOST_PIECES, but no more than LARGEST."""
    piece = SMALLEST
    while piece < LARGEST and piece * MOST_PIECES < size:
        piece *= 2
    return piece


@dataclass(frozen=True)
class Manifest:
    """The hashes of all pieces, one after another, of a file of `size` bytes.

    `root`, the hash over size and hashes, names the file: two peers with the same root have
    the same file, under whatever names.
    """

    size: int
    hashes: bytes

    @classmethod
    def parse(cls, size: int, hashes: bytes, root: str) -> "Manifest":
        """What a peer sent for `root`. Raises Malformed when it is something else."""
        manifest = cls(size, hashes)
        if len(hashes) != manifest.pieces * DIGEST or manifest.root != root:
            raise Malformed("hashes of another file")
        return manifest

    @classmethod
    def of(cls, descriptor: int) -> "Manifest":
        """Read an open file and hash it. Raises OSError."""
        size = os.fstat(descriptor).st_size
        piece = piece_size(size)
        hashes = bytearray()
        for offset in range(0, size, piece):
            block = os.pread(descriptor, min(piece, size - offset), offset)
            hashes += hashlib.sha256(block).digest()
        return cls(size, bytes(hashes))

    @property
    def root(self) -> str:
        """64 hex digits."""
        return hashlib.sha256(struct.pack("<Q", self.size) + self.hashes).hexdigest()

    @property
    def piece(self) -> int:
        """Bytes of each piece but the last."""
        return piece_size(self.size)

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return -(-self.size // self.piece)

    def span(self, number: int) -> tuple[int, int]:
        """Where a piece begins, and how many bytes it has."""
        offset = number * self.piece
        return offset, min(self.piece, self.size - offset)

    def is_right(self, number: int, data: bytes) -> bool:
        """Whether `data` are the bytes of that piece."""
        wanted = self.hashes[number * DIGEST : (number + 1) * DIGEST]
        return hashlib.sha256(data).digest() == wanted
