"""Packet headers (RFC 9000 section 17, RFC 9369 section 3), as far as they can be read without keys."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from capture.reader import Reader, Truncated

VERSION_1 = 0x00000001
VERSION_2 = 0x6B3343CF
INTEGRITY_TAG_LENGTH = 16
VERSION_LENGTH = 4


class Kind(enum.Enum):
    INITIAL = "Initial"
    ZERO_RTT = "0-RTT"
    HANDSHAKE = "Handshake"
    RETRY = "Retry"
    ONE_RTT = "1-RTT"
    VERSION_NEGOTIATION = "Version Negotiation"
    # Whatever it is: only RFC 8999 says how to read it.
    UNKNOWN_VERSION = "unknown version"


# The order of the long header's type bits.
TYPES = {
    VERSION_1: (Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE, Kind.RETRY),
    VERSION_2: (Kind.RETRY, Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE),
}


@dataclass(frozen=True, slots=True)
class Header:
    kind: Kind
    version: int
    destination: bytes
    source: bytes
    token: bytes
    # The packet's own bytes, and where in them the protected packet number begins.
    packet: bytes
    number_offset: int


def split(datagram: bytes) -> Iterator[Header]:
    """The packets coalesced in a datagram.

    The destination of a short header holds all that follows the first byte: only who knows the length of the
    connection ID can cut it. What can't be parsed, as after corruption, ends the datagram.
    """
    position = 0
    while position < len(datagram):
        if not datagram[position] and not any(datagram[position:]):
            # Some pad a datagram behind its packets.
            return
        if not datagram[position] & 0x80:
            yield Header(Kind.ONE_RTT, 0, datagram[position + 1 :], b"", b"", datagram[position:], 0)
            return
        try:
            header = long_header(datagram[position:])
        except Truncated:
            return
        yield header
        position += len(header.packet)


def long_header(data: bytes) -> Header:
    reader = Reader(data)
    first, version = reader.integer(1), reader.integer(4)
    destination, source = reader.vector(1), reader.vector(1)
    if version == 0:
        return Header(Kind.VERSION_NEGOTIATION, 0, destination, source, b"", data, 0)
    if version not in TYPES:
        return Header(Kind.UNKNOWN_VERSION, version, destination, source, b"", data, 0)
    kind = TYPES[version][(first >> 4) & 0x03]
    if kind is Kind.RETRY:
        token = data[reader.position : -INTEGRITY_TAG_LENGTH]
        return Header(kind, version, destination, source, token, data, 0)
    token = reader.take(reader.varint()) if kind is Kind.INITIAL else b""
    length = reader.varint()
    number_offset = reader.position
    reader.take(length)
    return Header(kind, version, destination, source, token, data[: reader.position], number_offset)


def offered_versions(negotiation: bytes) -> list[int]:
    """What a Version Negotiation packet lists (RFC 8999 section 6)."""
    reader = Reader(negotiation, 1 + VERSION_LENGTH)
    reader.vector(1)
    reader.vector(1)
    return [reader.integer(VERSION_LENGTH) for _ in range(reader.remaining // VERSION_LENGTH)]
