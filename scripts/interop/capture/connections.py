"""Finds the connections of a capture and the keys for their packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capture import frames, tls
from capture.headers import VERSION_1, Header, Kind, split
from capture.keys import AES_128_GCM, Opened, PacketKeys, initial_secret
from capture.pcap import Datagram
from capture.reader import Truncated

Secrets = dict[str, bytes]

LABELS = {
    (Kind.ZERO_RTT, False): "CLIENT_EARLY_TRAFFIC_SECRET",
    (Kind.HANDSHAKE, False): "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    (Kind.HANDSHAKE, True): "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    (Kind.ONE_RTT, False): "CLIENT_TRAFFIC_SECRET_0",
    (Kind.ONE_RTT, True): "SERVER_TRAFFIC_SECRET_0",
}


@dataclass
class Connection:
    # Each gives Initial keys: the client's first choice, and that of a Retry.
    initial_ids: list[bytes]
    client_id: bytes
    server_ids: set[bytes] = field(default_factory=set)
    version: int = VERSION_1
    hello: tls.Hello | None = None
    cipher_suite: int | None = None
    secrets: Secrets = field(default_factory=dict)

    def owns(self, header: Header, *, from_server: bool) -> bool:
        known = [self.client_id] if from_server else [*self.server_ids, *self.initial_ids]
        if header.kind is Kind.ONE_RTT:
            return any(identifier and header.destination.startswith(identifier) for identifier in known)
        return header.destination in known or (not from_server and header.source == self.client_id != b"")

    def id_length(self, *, from_server: bool) -> int:
        """Of the destination in a short header."""
        return len(self.client_id) if from_server else max(map(len, self.server_ids), default=0)

    def initial_keys(self, version: int, *, from_server: bool) -> Iterator[PacketKeys]:
        for identifier in reversed(self.initial_ids):
            secret = initial_secret(identifier, version, from_server=from_server)
            yield PacketKeys(secret, AES_128_GCM, version)

    def traffic_keys(self, kind: Kind, version: int, *, from_server: bool) -> PacketKeys | None:
        secret = self.secrets.get(LABELS.get((kind, from_server), ""))
        if secret is None or self.cipher_suite is None:
            return None
        return PacketKeys(secret, self.cipher_suite, version)


def read_key_log(path: Path) -> dict[bytes, Secrets]:
    """Secrets by the random of the ClientHello they belong to."""
    logged: dict[bytes, Secrets] = {}
    for line in path.read_text().splitlines():
        parts = line.split()
        if len(parts) == 3 and not line.startswith("#"):
            logged.setdefault(bytes.fromhex(parts[1]), {})[parts[0]] = bytes.fromhex(parts[2])
    return logged


class NumberMemory:
    """The largest packet number of each space so far, which the next one is encoded against."""

    def __init__(self) -> None:
        self._largest: dict[tuple[int, Kind, bool], int] = {}

    def largest(self, connection: Connection, kind: Kind, *, from_server: bool) -> int:
        return self._largest.get(self._key(connection, kind, from_server), -1)

    def note(self, connection: Connection, kind: Kind, number: int, *, from_server: bool) -> None:
        key = self._key(connection, kind, from_server)
        self._largest[key] = max(self._largest.get(key, -1), number)

    def _key(self, connection: Connection, kind: Kind, from_server: bool) -> tuple[int, Kind, bool]:
        # 0-RTT and 1-RTT packets are numbered together.
        return id(connection), Kind.ONE_RTT if kind is Kind.ZERO_RTT else kind, from_server


def open_initial(
    connection: Connection, header: Header, numbers: NumberMemory, *, from_server: bool
) -> Opened | None:
    largest = numbers.largest(connection, Kind.INITIAL, from_server=from_server)
    for keys in connection.initial_keys(header.version, from_server=from_server):
        unmasked = keys.unmask(header.kind, header.packet, header.number_offset)
        opened = unmasked and keys.open(header.packet, header.number_offset, *unmasked, largest=largest)
        if opened:
            numbers.note(connection, Kind.INITIAL, opened.number, from_server=from_server)
            return opened
    return None


class ConnectionTable:
    """Built from what each side sent, as seen next to the sender, where nothing is lost or damaged yet."""

    def __init__(self, key_log: dict[bytes, Secrets]) -> None:
        self.connections: list[Connection] = []
        self._key_log = key_log
        self._crypto: dict[tuple[int, bool], tls.Reassembly] = {}
        self._numbers = NumberMemory()

    def learn(self, datagrams: Iterable[tuple[Datagram, bool]]) -> None:
        """From datagrams in the order of time, each with whether the server sent it."""
        for datagram, from_server in datagrams:
            for header in split(datagram.payload):
                if header.kind is Kind.INITIAL:
                    self._learn_initial(header, from_server)
                elif header.kind is Kind.RETRY and from_server:
                    self._learn_retry(header)

    def candidates(self, header: Header, *, from_server: bool) -> list[Connection]:
        """The likeliest first; decryption tells which it is."""
        owners = [entry for entry in self.connections if entry.owns(header, from_server=from_server)]
        return owners[::-1] + [entry for entry in reversed(self.connections) if entry not in owners]

    def _learn_initial(self, header: Header, from_server: bool) -> None:
        for connection in self.candidates(header, from_server=from_server):
            if opened := open_initial(connection, header, self._numbers, from_server=from_server):
                self._learn_from(connection, header, opened, from_server)
                return
        if not from_server:
            self._learn_new(header)

    def _learn_new(self, header: Header) -> None:
        connection = Connection([header.destination], header.source, version=header.version)
        if opened := open_initial(connection, header, self._numbers, from_server=False):
            self.connections.append(connection)
            self._learn_from(connection, header, opened, from_server=False)

    def _learn_retry(self, header: Header) -> None:
        for connection in self.connections:
            if connection.client_id == header.destination and header.source not in connection.initial_ids:
                connection.initial_ids.append(header.source)
                # RFC 9000 section 17.2.5.3 wants the same ClientHello again, but not everyone sends it.
                self._crypto.pop((id(connection), False), None)

    def _learn_from(self, connection: Connection, header: Header, opened: Opened, from_server: bool) -> None:
        if from_server:
            connection.server_ids.add(header.source)
            connection.version = header.version
        key = (id(connection), from_server)
        crypto = self._crypto.setdefault(key, tls.Reassembly())
        try:
            for frame in frames.decode(opened.payload):
                if frame.name == "CRYPTO":
                    crypto.add(frame.values["offset"], frame.data)
            self._learn_hello(connection, crypto, from_server)
        except Truncated:
            # What an endpoint sends wrong is for the checks to find, not for the key search.
            return

    def _learn_hello(self, connection: Connection, crypto: tls.Reassembly, from_server: bool) -> None:
        for message in crypto.messages():
            if from_server and message.kind == tls.SERVER_HELLO:
                connection.cipher_suite = tls.server_hello(message.body).cipher_suites[0]
            elif not from_server and message.kind == tls.CLIENT_HELLO:
                connection.hello = tls.client_hello(message.body)
                connection.secrets = self._key_log.get(connection.hello.random, {})
