#!/usr/bin/env python3
"""The captured runs in Tests/Captures, as text and as files for Wireshark.

    captures.py pcap NAME FOLDER    writes NAME.pcap and NAME.keys, the TLS secrets, into FOLDER
    captures.py import RUN          prints the text for a folder with capture.pcap, keys.txt, frames.txt and events.txt

Tests/Captures/README.md says what is in the text.
"""

import argparse
import re
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path

CAPTURES = Path(__file__).resolve().parent.parent / "Tests" / "Captures"

LITTLE_ENDIAN_MICROSECONDS, BIG_ENDIAN_MICROSECONDS = 0xA1B2C3D4, 0xD4C3B2A1
LINKTYPE_ETHERNET, LINKTYPE_RAW = 1, 101
ETHERTYPE_IPV4, PROTOCOL_UDP = 0x0800, 17

EVENTS = [
    ("SIGSTOP", "stopped"),
    ("SIGCONT, onNetworkSwitch sent", "moved"),
]


@dataclass
class Datagram:
    time: str
    source: tuple
    destination: tuple
    payload: bytes
    listing: list = field(default_factory=list)


@dataclass
class Capture:
    secrets: list = field(default_factory=list)
    events: list = field(default_factory=list)
    datagrams: list = field(default_factory=list)


# The text


def read_text(path):
    capture = Capture()
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "secret":
            capture.secrets.append(rest)
        elif word == "event":
            capture.events.append(tuple(rest.split(" ", 1)))
        elif word == "datagram":
            time, source, destination, payload = rest.split()
            capture.datagrams.append(
                Datagram(time, endpoint(source), endpoint(destination), bytes.fromhex(payload)))
        elif word in ("packet", "parameters"):
            capture.datagrams[-1].listing.append(f"{word} {rest}")
    return capture


def text(capture):
    lines = [f"secret {secret}" for secret in capture.secrets]
    lines += [f"event {time} {name}" for time, name in capture.events]
    for datagram in capture.datagrams:
        source, destination = (f"{host}:{port}" for host, port in (datagram.source, datagram.destination))
        lines.append(f"datagram {datagram.time} {source} {destination} {datagram.payload.hex()}")
        lines += [f"  {line}" for line in datagram.listing]
    return "\n".join(lines) + "\n"


def endpoint(words):
    host, port = words.rsplit(":", 1)
    return host, int(port)


# pcap


def read_pcap(path):
    data = path.read_bytes()
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    if magic != LITTLE_ENDIAN_MICROSECONDS or link != LINKTYPE_ETHERNET:
        sys.exit(f"{path}: neither little-endian microseconds nor Ethernet")
    offset, start = 24, None
    while offset < len(data):
        seconds, micros, size, _ = struct.unpack_from("<IIII", data, offset)
        frame = data[offset + 16 : offset + 16 + size]
        offset += 16 + size
        if struct.unpack_from(">H", frame, 12)[0] != ETHERTYPE_IPV4 or frame[23] != PROTOCOL_UDP:
            continue
        now = seconds * 1_000_000 + micros
        start = now if start is None else start
        yield start, now - start, frame[14:]


def udp(packet):
    size = (packet[0] & 15) * 4
    source, destination, length = struct.unpack_from(">HHH", packet, size)
    hosts = (".".join(map(str, packet[at : at + 4])) for at in (12, 16))
    return (*zip(hosts, (source, destination)), packet[size + 8 : size + length])


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(datagram):
    hosts = [bytes(map(int, host.split("."))) for host, _ in (datagram.source, datagram.destination)]
    size = 8 + len(datagram.payload)
    ports = struct.pack(">HHH", datagram.source[1], datagram.destination[1], size)
    pseudo = b"".join(hosts) + struct.pack(">HH", PROTOCOL_UDP, size)
    udp_sum = checksum(pseudo + ports + b"\0\0" + datagram.payload) or 0xFFFF
    start = struct.pack(">BBHHHBB", 0x45, 0, 20 + size, 0, 0x4000, 64, PROTOCOL_UDP)
    ip_sum = checksum(start + b"\0\0" + b"".join(hosts))
    header = start + struct.pack(">H", ip_sum) + b"".join(hosts)
    return header + ports + struct.pack(">H", udp_sum) + datagram.payload


def pcap(capture):
    file = struct.pack("<IHHiIII", LITTLE_ENDIAN_MICROSECONDS, 2, 4, 0, 0, 65535, LINKTYPE_RAW)
    for datagram in capture.datagrams:
        seconds, micros = datagram.time.split(".")
        content = packet(datagram)
        file += struct.pack("<IIII", int(seconds), int(micros), len(content), len(content)) + content
    return file


def write_files(name, folder):
    capture = read_text(CAPTURES / f"{name}.txt")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pcap").write_bytes(pcap(capture))
    (folder / f"{name}.keys").write_text("".join(f"{secret}\n" for secret in capture.secrets))
    return folder / f"{name}.pcap", folder / f"{name}.keys", capture


# A captured run


def read_run(folder):
    capture = Capture(secrets=(folder / "keys.txt").read_text().splitlines())
    start = 0
    for start, time, content in read_pcap(folder / "capture.pcap"):
        capture.datagrams.append(Datagram(f"{time // 1_000_000}.{time % 1_000_000:06}", *udp(content)))
    read_frames(folder / "frames.txt", capture)
    read_events(folder / "events.txt", start, capture)
    return capture


def read_frames(path, capture):
    datagrams = iter(capture.datagrams)
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split(maxsplit=1)
        if re.match(r"  ?\d", line):
            current = next(datagrams)
            if words[0] != current.time:
                sys.exit(f"{path}: {words[0]} is listed where {current.time} was captured")
        elif re.match(r"   \S", line):
            current.listing.append(f"packet {line.strip()}")
        elif words[0].startswith("TP[") or words[0] == "TP":
            current.listing.append(f"parameters {line.strip()}")


def read_events(path, start, capture):
    for line in path.read_text(encoding="utf-8").splitlines():
        moment, _, what = line.partition(" ")
        seconds, micros = moment.split(".")
        time = int(seconds) * 1_000_000 + int(micros) - start
        for mark, name in EVENTS:
            if mark in what:
                capture.events.append((f"{time // 1_000_000}.{time % 1_000_000:06}", name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("pcap", help="write a capture and its secrets for Wireshark")
    writing.add_argument("name", help="a file of Tests/Captures, without .txt")
    writing.add_argument("folder", type=Path)
    importing = commands.add_parser("import", help="print the text for a captured run")
    importing.add_argument("run", type=Path)
    options = parser.parse_args()
    if options.command == "import":
        print(text(read_run(options.run)), end="")
    else:
        print(*write_files(options.name, options.folder)[:2], sep="\n")


if __name__ == "__main__":
    main()
