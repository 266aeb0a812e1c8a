"""All packets that one side of the link saw, decrypted where the keys allow it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from capture import frames, tls
from capture.connections import Connection, ConnectionTable, NumberMemory, open_initial
from capture.frames import Frame
from capture.headers import Header, Kind, split
from capture.keys import Opened, PacketKeys, next_secret
from capture.pcap import Address, Datagram
from capture.reader import Truncated

KEY_PHASE = 0x04
UNPROTECTED = frozenset({Kind.RETRY, Kind.VERSION_NEGOTIATION, Kind.UNKNOWN_VERSION})


@dataclass(frozen=True, slots=True)
class Packet:
    kind: Kind
    version: int
    destination: bytes
    source: bytes
    token: bytes
    datagram: Datagram
    from_server: bool
    # What only decryption tells: absent if there was no key, or the packet was damaged.
    connection: Connection | None = None
    number: int = -1
    key_phase: int = 0
    protected_length: int = 0
    frames: tuple[Frame, ...] | None = None

    def frames_named(self, name: str) -> list[Frame]:
        return [frame for frame in self.frames or () if frame.name == name]


class KeyRing:
    """The keys of one direction of a connection, through all its key updates."""

    def __init__(self, first: PacketKeys, cipher_suite: int, version: int) -> None:
        self._generations = [first]
        self._cipher_suite = cipher_suite
        self._version = version

    def open(self, header: Header, number_offset: int, largest: int) -> Opened | None:
        unmasked = self._generations[0].unmask(header.kind, header.packet, number_offset)
        if unmasked is None:
            return None
        phase = (unmasked[0] & KEY_PHASE) >> 2 if header.kind is Kind.ONE_RTT else 0
        for keys in self._with_phase(phase):
            if opened := keys.open(header.packet, number_offset, *unmasked, largest=largest):
                self._adopt(keys)
                return opened
        return None

    def _with_phase(self, phase: int) -> list[PacketKeys]:
        """The newest keys of that phase, and the next ones if those would be of that phase."""
        candidates = self._generations[::-1]
        matching = [keys for keys in candidates[:2] if self._generations.index(keys) % 2 == phase]
        if len(self._generations) % 2 == phase:
            matching.append(self._following())
        return matching

    def _following(self) -> PacketKeys:
        newest = self._generations[-1]
        keys = PacketKeys(next_secret(newest.secret, self._version), self._cipher_suite, self._version)
        keys.share_header_protection(newest)
        return keys

    def _adopt(self, keys: PacketKeys) -> None:
        if keys not in self._generations:
            self._generations.append(keys)


class Decoder:
    """Goes through one side's capture in order: packet numbers and key phases depend on what came before."""

    def __init__(self, table: ConnectionTable) -> None:
        self._table = table
        self._rings: dict[tuple[int, Kind, bool], KeyRing | None] = {}
        self._numbers = NumberMemory()

    def packets(self, datagram: Datagram, from_server: bool) -> Iterator[Packet]:
        for header in split(datagram.payload):
            yield self._decode(header, datagram, from_server)

    def _decode(self, header: Header, datagram: Datagram, from_server: bool) -> Packet:
        if header.kind not in UNPROTECTED:
            for connection in self._table.candidates(header, from_server=from_server):
                if opened := self._open(connection, header, from_server):
                    return self._decrypted(connection, header, datagram, from_server, opened)
        destination = b"" if header.kind is Kind.ONE_RTT else header.destination
        return Packet(
            header.kind, header.version, destination, header.source, header.token, datagram, from_server
        )

    def _decrypted(
        self, connection: Connection, header: Header, datagram: Datagram, from_server: bool, opened: Opened
    ) -> Packet:
        destination = header.destination
        if header.kind is Kind.ONE_RTT:
            destination = destination[: connection.id_length(from_server=from_server)]
        try:
            decoded: tuple[Frame, ...] | None = tuple(frames.decode(opened.payload))
        except Truncated:
            decoded = None
        phase = (opened.first_byte & KEY_PHASE) >> 2 if header.kind is Kind.ONE_RTT else 0
        return Packet(
            header.kind, header.version or connection.version, destination, header.source, header.token,
            datagram, from_server, connection, opened.number, phase, opened.protected_length, decoded,
        )  # fmt: skip

    def _open(self, connection: Connection, header: Header, from_server: bool) -> Opened | None:
        if header.kind is Kind.INITIAL:
            return open_initial(connection, header, self._numbers, from_server=from_server)
        key = (id(connection), header.kind, from_server)
        if key not in self._rings:
            self._rings[key] = self._ring(connection, header, from_server)
        ring = self._rings[key]
        if ring is None:
            return None
        offset = header.number_offset or 1 + connection.id_length(from_server=from_server)
        largest = self._numbers.largest(connection, header.kind, from_server=from_server)
        opened = ring.open(header, offset, largest)
        if opened:
            self._numbers.note(connection, header.kind, opened.number, from_server=from_server)
        return opened

    def _ring(self, connection: Connection, header: Header, from_server: bool) -> KeyRing | None:
        version = header.version or connection.version
        keys = connection.traffic_keys(header.kind, version, from_server=from_server)
        if keys is None or connection.cipher_suite is None:
            return None
        return KeyRing(keys, connection.cipher_suite, version)


class Trace:
    def __init__(self, packets: Iterable[Packet]) -> None:
        self.packets = list(packets)

    def select(self, kind: Kind | None = None, *, from_server: bool | None = None) -> list[Packet]:
        return [
            packet
            for packet in self.packets
            if (kind is None or packet.kind is kind)
            and (from_server is None or packet.from_server == from_server)
        ]

    def datagrams(self, *, from_server: bool | None = None) -> list[list[Packet]]:
        """The packets of each datagram that has any."""
        grouped: dict[int, list[Packet]] = {}
        for packet in self.select(from_server=from_server):
            grouped.setdefault(id(packet.datagram), []).append(packet)
        return list(grouped.values())

    def crypto(self, kind: Kind, *, from_server: bool) -> dict[bytes, tls.Reassembly]:
        """The handshake messages sent in packets of a kind, by the connection ID of their sender."""
        streams: dict[bytes, tls.Reassembly] = {}
        for packet in self.select(kind, from_server=from_server):
            stream = streams.setdefault(packet.source, tls.Reassembly())
            for frame in packet.frames_named("CRYPTO"):
                stream.add(frame.values["offset"], frame.data)
        return streams


def read_traces(
    client_side: list[Datagram],
    server_side: list[Datagram],
    server_addresses: frozenset[Address],
    table: ConnectionTable,
) -> tuple[Trace, Trace]:
    """The client's and the server's trace. `server_addresses` are all that the server has on either side."""

    def directed(datagrams: list[Datagram]) -> list[tuple[Datagram, bool]]:
        return [(datagram, datagram.source in server_addresses) for datagram in datagrams]

    sent = [entry for entry in directed(client_side) if not entry[1]]
    sent += [entry for entry in directed(server_side) if entry[1]]
    table.learn(sorted(sent, key=lambda entry: entry[0].time))
    traces = []
    for side in (client_side, server_side):
        decoder = Decoder(table)
        traces.append(
            Trace(
                packet
                for datagram, from_server in directed(side)
                for packet in decoder.packets(datagram, from_server)
            )
        )
    return traces[0], traces[1]
