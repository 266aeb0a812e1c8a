"""A cursor over bytes, with the variable-length integers of RFC 9000 section 16."""

from __future__ import annotations


class Truncated(ValueError):
    """Fewer bytes are left than the format needs."""


class Reader:
    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def remaining(self) -> int:
        return len(self.data) - self.position

    def take(self, count: int) -> bytes:
        if count > self.remaining:
            raise Truncated(f"{count} bytes wanted, {self.remaining} left")
        start = self.position
        self.position += count
        return self.data[start : self.position]

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def varint(self) -> int:
        if not self.remaining:
            raise Truncated("a variable-length integer wanted, nothing left")
        size = 1 << (self.data[self.position] >> 6)
        return self.integer(size) & ((1 << (8 * size - 2)) - 1)

    def vector(self, length_size: int) -> bytes:
        """Bytes with their length in front, as TLS writes them."""
        return self.take(self.integer(length_size))
