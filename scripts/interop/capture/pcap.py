"""Packet captures of UDP datagrams: written by the link, read by the checks, and by people in Wireshark."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Address = tuple[str, int]

MAGIC_NANOSECONDS = 0xA1B23C4D
LINKTYPE_RAW = 101
FILE_HEADER = struct.Struct("<IHHiIII")
RECORD_HEADER = struct.Struct("<IIII")
UDP = 17


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram as an observer of the wire sees it."""

    time: float
    source: Address
    destination: Address
    ecn: int
    payload: bytes


class Writer:
    """Appends datagrams, with IP and UDP headers made for them, to a capture file."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._file.write(FILE_HEADER.pack(MAGIC_NANOSECONDS, 2, 4, 0, 0, 65535, LINKTYPE_RAW))

    def write(self, time_ns: int, source: Address, destination: Address, ecn: int, payload: bytes) -> None:
        make_headers = ipv6_headers if ":" in source[0] else ipv4_headers
        self.write_packet(time_ns, make_headers(source, destination, ecn, payload) + payload)

    def write_packet(self, time_ns: int, packet: bytes) -> None:
        """An IP packet as it is."""
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        self._file.write(RECORD_HEADER.pack(seconds, nanoseconds, len(packet), len(packet)) + packet)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def packed(host: str) -> bytes:
    return ipaddress.ip_address(host).packed


def checksum(data: bytes) -> int:
    padded = data + b"\x00" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ipv4_headers(source: Address, destination: Address, ecn: int, payload: bytes) -> bytes:
    addresses = packed(source[0]) + packed(destination[0])
    length = 28 + len(payload)
    blank = struct.pack(">BBHHHBBH", 0x45, ecn, length, 0, 0x4000, 64, UDP, 0) + addresses
    header = blank[:10] + struct.pack(">H", checksum(blank)) + blank[12:]
    # A UDP checksum of zero means "none" in IPv4.
    return header + struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0)


def ipv6_headers(source: Address, destination: Address, ecn: int, payload: bytes) -> bytes:
    addresses = packed(source[0]) + packed(destination[0])
    length = 8 + len(payload)
    header = struct.pack(">IHBB", (6 << 28) | (ecn << 20), length, UDP, 64) + addresses
    blank = struct.pack(">HHHH", source[1], destination[1], length, 0)
    pseudo_header = addresses + struct.pack(">II", length, UDP)
    return header + blank[:6] + struct.pack(">H", checksum(pseudo_header + blank + payload) or 0xFFFF)


def read(path: Path) -> list[Datagram]:
    """The UDP datagrams of a capture, in the order of time."""
    return sorted(records(path), key=lambda datagram: datagram.time)


def records(path: Path) -> Iterator[Datagram]:
    """In the order of the file. A record cut off at the end is left out."""
    data = path.read_bytes()
    if len(data) < FILE_HEADER.size or FILE_HEADER.unpack_from(data)[0] != MAGIC_NANOSECONDS:
        raise ValueError(f"{path} is not a capture with nanoseconds")
    position = FILE_HEADER.size
    while position + RECORD_HEADER.size <= len(data):
        seconds, nanoseconds, length, _ = RECORD_HEADER.unpack_from(data, position)
        position += RECORD_HEADER.size
        packet = data[position : position + length]
        position += length
        if len(packet) == length and (datagram := parse(seconds + nanoseconds / 1e9, packet)):
            yield datagram


def parse(time: float, packet: bytes) -> Datagram | None:
    if packet[0] >> 4 == 4:
        start, protocol, ecn = (packet[0] & 0x0F) * 4, packet[9], packet[1] & 0x03
        hosts = packet[12:16], packet[16:20]
    else:
        start, protocol, ecn = 40, packet[6], (packet[1] >> 4) & 0x03
        hosts = packet[8:24], packet[24:40]
    if protocol != UDP:
        return None
    source_port, destination_port, length = struct.unpack_from(">HHH", packet, start)
    source, destination = (str(ipaddress.ip_address(host)) for host in hosts)
    payload = packet[start + 8 : start + length]
    return Datagram(time, (source, source_port), (destination, destination_port), ecn, payload)
