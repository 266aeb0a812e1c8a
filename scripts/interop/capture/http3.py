"""HTTP/3 frames (RFC 9114 section 7) of what went over a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from capture.reader import Reader, Truncated

CONTROL_STREAM = 0x00
DATA, HEADERS, SETTINGS = 0x00, 0x01, 0x04


@dataclass(frozen=True, slots=True)
class HTTP3Frame:
    kind: int
    payload: bytes


def frames(data: bytes) -> Iterator[HTTP3Frame]:
    """The frames that are whole."""
    reader = Reader(data)
    while reader.remaining:
        try:
            kind = reader.varint()
            yield HTTP3Frame(kind, reader.take(reader.varint()))
        except Truncated:
            return


def is_control_stream(data: bytes) -> bool:
    """Whether it is one, and begins with SETTINGS (RFC 9114 section 6.2.1)."""
    if not data or data[0] != CONTROL_STREAM:
        return False
    first = next(frames(data[1:]), None)
    return first is not None and first.kind == SETTINGS


def has_header_section(data: bytes) -> bool:
    """Whether the first frame that is no extension's is HEADERS, as of each message."""
    known = (frame.kind for frame in frames(data) if frame.kind in (DATA, HEADERS))
    return next(known, None) == HEADERS


def content(data: bytes) -> bytes:
    """What the DATA frames of a message hold."""
    return b"".join(frame.payload for frame in frames(data) if frame.kind == DATA)
