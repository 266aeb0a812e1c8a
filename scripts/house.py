#!/usr/bin/env python3
"""Holds the house together: which room may import which, and what pure rooms must not touch.

The rules stand in ARCHITECTURE.md. Exit status 1 and a line for each breach.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "GodwitWire": set(),
    "GodwitCrypto": {"GodwitWire"},
    "GodwitCore": {"GodwitWire", "GodwitCrypto", "GodwitMigration"},
    "CGodwitSocket": set(),
    "Godwit": {"GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitWire", "CGodwitSocket"},
    "GodwitSimulator": {"GodwitCore", "GodwitCrypto", "GodwitMigration", "GodwitWire"},
    "GodwitMigration": {"GodwitWire"},
    "GodwitQPACK": {"GodwitWire"},
    "GodwitHTTP3Core": {"GodwitQPACK", "GodwitWire"},
    "GodwitHTTP3": {"GodwitHTTP3Core", "GodwitQPACK", "Godwit", "GodwitCore", "GodwitCrypto", "GodwitWire"},
    "GodwitFuzzing": {
        "GodwitCore", "GodwitCrypto", "GodwitHTTP3Core", "GodwitMigration", "GodwitQPACK", "GodwitWire",
    },
    "MHQKit": {"Godwit", "GodwitHTTP3", "GodwitSimulator", "GodwitWire"},
    "GodwitTestbed": {
        "MHQKit", "GodwitSimulator", "GodwitCore", "GodwitHTTP3Core", "GodwitMigration", "GodwitQPACK", "GodwitWire",
        "CGodwitSocket",
    },
    "mhq": {"MHQKit", "GodwitTestbed", "Godwit", "GodwitHTTP3"},
}
PURE = {"GodwitWire", "GodwitCore", "GodwitMigration", "GodwitQPACK", "GodwitHTTP3Core"}
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+|public |package |internal |private )*import (?:struct |class |enum |protocol |func )?(\w+)",
    re.MULTILINE,
)
SYSTEM = {"Foundation", "Dispatch", "Glibc", "Darwin", "Musl"}
CLOCK_OR_CHANCE = re.compile(r"SystemRandomNumberGenerator|ContinuousClock|\.random\(in:(?![^)]*using)")
BORINGSSL = re.compile(r"\bCNIOBoringSSL\b")
MAX_LINE = 120


def breaches(path: pathlib.Path) -> list[str]:
    room = path.relative_to(ROOT / "Sources").parts[0]
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    found = []
    for module in IMPORT.findall(text):
        if module in MAY_IMPORT and module != room and module not in MAY_IMPORT.get(room, set()):
            found.append(f"{name}: {room} must not import {module}")
        if room in PURE and (module in SYSTEM or module.startswith("NIO")):
            found.append(f"{name}: {room} is pure and must not import {module}")
    if room in PURE and CLOCK_OR_CHANCE.search(text):
        found.append(f"{name}: {room} is pure and must not read a clock or draw random numbers")
    if room != "GodwitCrypto" and BORINGSSL.search(text):
        found.append(f"{name}: only GodwitCrypto may call BoringSSL")
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_LINE:
            found.append(f"{name}:{number}: {len(line)} columns")
    return found


def main() -> int:
    files = sorted((ROOT / "Sources").rglob("*.swift"))
    rooms = {path.relative_to(ROOT / "Sources").parts[0] for path in files}
    found = [f"Sources/{room}: a room without rules in scripts/house.py" for room in sorted(rooms - set(MAY_IMPORT))]
    for path in files:
        found += breaches(path)
    print("\n".join(found) if found else f"the house stands: {len(files)} files in {len(rooms)} rooms")
    return 1 if found else 0


sys.exit(main())
