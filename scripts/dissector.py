#!/usr/bin/env python3
"""Whether tshark with Wireshark/godwit.lua shows in every capture of Tests/Captures what is listed there.

What it must show is worked out here from the raw bytes in the listing. Exits with 1 where it shows anything else,
and with 0, having said so, where there is no tshark; with --required that fails as well.
"""

import argparse
import ipaddress
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import captures

DISSECTOR = Path(__file__).resolve().parent.parent / "Wireshark" / "godwit.lua"
SERVER_PORT = 6666

TYPES = ["server_migration.frame.type"]
ADDRESSES = [f"server_migration.ipv{family}.{part}" for family in (4, 6) for part in ("address", "port")]
ALTERNATIVES = [f"server_migration.{name}" for name in ("sequence_number", "preferred", "retire")]
PARAMETERS = ["server_migration.suite", "server_migration.alternative_address"]
EXPERTS = [f"server_migration.{name}" for name in ("misread", "cut_off", "unknown", "parameter")]
FIELDS = TYPES + ADDRESSES + ALTERNATIVES + PARAMETERS + EXPERTS

RAW = re.compile(r" raw=([0-9a-f]+)")
SUITE = re.compile(r"server_migration_suite=[0-9a-f]+\(=(\d+)\)")


# What is expected


def varint(data, offset):
    size = 1 << (data[offset] >> 6)
    value = int.from_bytes(data[offset : offset + size], "big") & ((1 << (8 * size - 2)) - 1)
    return value, offset + size


def add_address(row, data, offset, is_v6):
    size, family = (16, 6) if is_v6 else (4, 4)
    row[f"server_migration.ipv{family}.address"].append(str(ipaddress.ip_address(data[offset : offset + size])))
    offset += size
    row[f"server_migration.ipv{family}.port"].append(int.from_bytes(data[offset : offset + 2], "big"))
    return offset + 2


def add_frame(row, data):
    kind, offset = varint(data, 0)
    row["server_migration.frame.type"].append(kind)
    if kind in (0x32, 0x34):
        offset = add_address(row, data, offset, is_v6=False)
        offset = add_address(row, data, offset, is_v6=True)
    elif kind in (0x1D5845E2, 0x1D5845E3):
        flags = data[offset]
        row["server_migration.preferred"].append(flags >> 7)
        row["server_migration.retire"].append(flags >> 6 & 1)
        number, offset = varint(data, offset + 1)
        row["server_migration.sequence_number"].append(number)
        offset = add_address(row, data, offset, is_v6=kind == 0x1D5845E3)
    assert offset == len(data), data.hex()


def expected(datagram):
    row = {name: [] for name in FIELDS}
    for line in datagram.listing:
        raw = [bytes.fromhex(text) for text in RAW.findall(line)] if line.startswith("packet") else []
        for data in raw:
            add_frame(row, data)
        row["server_migration.misread"] += [1] * bool(raw)
        if line.startswith("parameters TP "):
            row["server_migration.suite"] += [int(text) for text in SUITE.findall(line)]
            row["server_migration.alternative_address"] += [1] * line.count("alternative_address=")
    return row


# What is shown


def number(text):
    return int(text, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", text) else text


def shown(pcap, keys):
    command = ["tshark", "-X", f"lua_script:{DISSECTOR}", "-r", pcap, "-o", f"tls.keylog_file:{keys}"]
    command += ["-d", f"udp.port=={SERVER_PORT},quic", "-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]
    for name in FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "lua" in done.stderr.lower():
        sys.exit(f"tshark: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        values = ([number(text) for text in cell.split(";") if text] for cell in line.split("|"))
        row = dict(zip(FIELDS, values))
        for name in EXPERTS:
            row[name] = [1] * len(row[name])
        yield row


def compare(name, folder):
    pcap, keys, capture = captures.write_files(name, folder)
    rows, frames, problems = list(shown(pcap, keys)), 0, []
    if len(rows) != len(capture.datagrams):
        return 0, [f"{name}: {len(rows)} of {len(capture.datagrams)} datagrams are shown"]
    for index, (row, datagram) in enumerate(zip(rows, capture.datagrams), 1):
        wanted = expected(datagram)
        frames += len(wanted["server_migration.frame.type"]) + sum(len(wanted[field]) for field in PARAMETERS)
        problems += [
            f"{name}: datagram {index}: {field} is {row[field]} and not {wanted[field]}"
            for field in FIELDS if row[field] != wanted[field]]
    return frames, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--required", action="store_true", help="fail where there is no tshark")
    options = parser.parse_args()
    if not shutil.which("tshark"):
        print("skipped: there is no tshark (Debian: apt-get install tshark)")
        return 1 if options.required else 0
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(captures.CAPTURES.glob("*.txt")):
            count, found = compare(path.stem, Path(folder))
            problems += found
            print(f"{path.stem}: {count} frames and parameters" + (", with problems" if found else ""))
    for problem in problems:
        print(f"problem: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
