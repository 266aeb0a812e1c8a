#!/usr/bin/env python3
"""Measures what it costs that GodwitWire is a module of its own.

The same benchmark and the same sources are built twice by SwiftPM: once with GodwitWire as a module, as in the
package, and once all in one module, where the compiler sees everything. The two programs take turns. What is on the
hot path of GodwitWire is `@inlinable`; a ratio above the limit says that something was forgotten.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 1.3
MANIFEST = """// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "wire-benchmark",
    platforms: [.macOS(.v26)],
    targets: [
        .target(name: "GodwitWire", swiftSettings: strict),
        .executableTarget(name: "apart", dependencies: ["GodwitWire"], swiftSettings: strict),
        .executableTarget(name: "together", swiftSettings: strict + [.define("ONE_MODULE")]),
    ],
    swiftLanguageModes: [.v6]
)
"""


def build(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    sources = folder / "Sources"
    shutil.rmtree(sources, ignore_errors=True)
    wire = ROOT / "Sources" / "GodwitWire"
    benchmark = ROOT / "Benchmarks" / "Wire"
    shutil.copytree(wire, sources / "GodwitWire")
    shutil.copytree(benchmark, sources / "apart")
    shutil.copytree(benchmark, sources / "together")
    shutil.copytree(wire, sources / "together" / "GodwitWire")
    (folder / "Package.swift").write_text(MANIFEST)
    subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", str(folder)], check=True, stdout=sys.stderr)
    return {name: folder / ".build" / "release" / name for name in ("apart", "together")}


def measure(programs: dict[str, pathlib.Path], rounds: int) -> dict[str, list[dict[str, float]]]:
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            figures[name].append(json.loads(subprocess.run([program], check=True, capture_output=True).stdout))
    if len({figure["checksum"] for of in figures.values() for figure in of}) != 1:
        sys.exit("wire.py: the two programs do not compute the same")
    return figures


def summarize(figures: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    summary = {}
    for what in ("decode", "encode"):
        apart, together = ([figure[what] for figure in figures[name]] for name in ("apart", "together"))
        ratio = statistics.median(ours / theirs for ours, theirs in zip(apart, together))
        summary[what] = {
            "apart": statistics.median(apart), "together": statistics.median(together), "ratio": ratio}
    return summary


def table(summary: dict[str, dict[str, float]]) -> str:
    lines = [f"{'ns of CPU a packet of ACK and STREAM (median)':50}{'module':>10}{'together':>10}{'ratio':>10}"]
    lines += [
        f"  {what:48}{row['apart']:10.1f}{row['together']:10.1f}{row['ratio']:10.2f}" for what, row in summary.items()]
    return "\n".join(lines) + "\n"


def run(rounds: int, folder: pathlib.Path = ROOT / ".build" / "wire-benchmark") -> dict[str, dict[str, float]]:
    return summarize(measure(build(folder), rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".build" / "wire-benchmark")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    summary = run(arguments.rounds, arguments.folder)
    print(json.dumps(summary) if arguments.json else table(summary))
    if any(row["ratio"] > LIMIT for row in summary.values()):
        sys.exit(f"wire.py: a ratio is above {LIMIT}")


if __name__ == "__main__":
    main()
