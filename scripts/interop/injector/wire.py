"""Writes what the faults are made of: integers, frames, HTTP/3 frames."""

from __future__ import annotations

from aioquic.tls import Epoch

# Of version 1: RFC 9000 section 17.2.
LONG_TYPES = {Epoch.INITIAL: 0, Epoch.ZERO_RTT: 1, Epoch.HANDSHAKE: 2}

PING, RESET_STREAM, STOP_SENDING, CRYPTO, NEW_TOKEN = 0x01, 0x04, 0x05, 0x06, 0x07
# With offset, length and end of stream.
STREAM = 0x0F
MAX_STREAM_DATA, MAX_STREAMS_BIDI, STREAMS_BLOCKED_BIDI = 0x11, 0x12, 0x16
NEW_CONNECTION_ID, PATH_CHALLENGE, HANDSHAKE_DONE = 0x18, 0x1A, 0x1E

DATA, HEADERS, CANCEL_PUSH, SETTINGS, MAX_PUSH_ID = 0x00, 0x01, 0x03, 0x04, 0x0D


def varint(value: int) -> bytes:
    """RFC 9000 section 16."""
    for size, prefix in ((1, 0), (2, 1), (4, 2), (8, 3)):
        if value < 1 << (8 * size - 2):
            return (value | prefix << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def frame(kind: int, *fields: int | bytes) -> bytes:
    """Integers become variable-length integers, bytes stay as they are."""
    parts = [field if isinstance(field, bytes) else varint(field) for field in (kind, *fields)]
    return b"".join(parts)


def stream(identifier: int, offset: int, data: bytes) -> bytes:
    return frame(STREAM, identifier, offset, len(data), data)


def crypto(data: bytes) -> bytes:
    return frame(CRYPTO, 0, len(data), data)


def http3_frame(kind: int, payload: bytes = b"") -> bytes:
    """RFC 9114 section 7.1."""
    return varint(kind) + varint(len(payload)) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    payload = b"".join(varint(identifier) + varint(value) for identifier, value in pairs)
    return http3_frame(SETTINGS, payload)
