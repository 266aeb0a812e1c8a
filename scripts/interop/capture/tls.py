"""The parts of TLS 1.3 handshake messages (RFC 8446 section 4) that the checks look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from capture.reader import Reader, Truncated

CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE = 1, 2, 8, 11
APPLICATION_PROTOCOLS = 16
QUIC_TRANSPORT_PARAMETERS = 57


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    random: bytes
    # Those offered by a client, or the one chosen by a server.
    cipher_suites: tuple[int, ...]
    extensions: dict[int, bytes]


class Reassembly:
    """Puts the data of CRYPTO frames in order. Repeated data is ignored."""

    def __init__(self) -> None:
        self._pieces: dict[int, bytes] = {}

    def add(self, offset: int, data: bytes) -> None:
        if len(data) > len(self._pieces.get(offset, b"")):
            self._pieces[offset] = data

    def messages(self) -> Iterator[Message]:
        """The messages that are whole."""
        reader = Reader(self._contiguous())
        while reader.remaining >= 4:
            kind = reader.integer(1)
            try:
                yield Message(kind, reader.vector(3))
            except Truncated:
                return

    def _contiguous(self) -> bytes:
        data = b""
        for offset in sorted(self._pieces):
            if offset > len(data):
                break
            data += self._pieces[offset][len(data) - offset :]
        return data


def client_hello(body: bytes) -> Hello:
    reader = Reader(body, 2)
    random = reader.take(32)
    reader.vector(1)
    suites = reader.vector(2)
    reader.vector(1)
    offered = tuple(int.from_bytes(suites[index : index + 2], "big") for index in range(0, len(suites), 2))
    return Hello(random, offered, extensions(reader.vector(2)))


def server_hello(body: bytes) -> Hello:
    reader = Reader(body, 2)
    random = reader.take(32)
    reader.vector(1)
    suite = reader.integer(2)
    reader.take(1)
    return Hello(random, (suite,), extensions(reader.vector(2)))


def encrypted_extensions(body: bytes) -> dict[int, bytes]:
    return extensions(Reader(body).vector(2))


def extensions(data: bytes) -> dict[int, bytes]:
    reader = Reader(data)
    found: dict[int, bytes] = {}
    while reader.remaining:
        kind = reader.integer(2)
        found[kind] = reader.vector(2)
    return found


def application_protocol(data: bytes) -> str:
    """RFC 7301 section 3.1: the one that a server chose."""
    return Reader(Reader(data).vector(2)).vector(1).decode()


def transport_parameters(data: bytes) -> dict[int, bytes]:
    """RFC 9000 section 18: values by their identifiers."""
    reader = Reader(data)
    found: dict[int, bytes] = {}
    while reader.remaining:
        identifier = reader.varint()
        found[identifier] = reader.take(reader.varint())
    return found
