"""From the command line to cells, and from their outcomes to the report."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping
from typing import TypeVar

from cases.catalogue import CASES
from harness.cell import Cell, Outcome, Status, run_cell
from harness.matrix import Result, Runner, lacking, pair_of, possible_pairs, remarks, speak, table
from harness.options import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_UNAVAILABLE, EXIT_USAGE, SUBJECT, fail
from harness.verification import Verifier, with_seed
from peers.catalogue import peers
from peers.peer import Peer

Pair = tuple[Peer, Peer]
Value = TypeVar("Value")


def main(options: argparse.Namespace) -> int:
    known = peers(options.mhq, options.prefix)
    if options.list:
        print(f"cases: {', '.join(CASES)}\npeers: {', '.join(known)}")
        return 0
    cells = select_cells(options, select_pairs(options, known))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return report(options, run(options, cells, known["aioquic"]))
    except KeyboardInterrupt:
        print("interop: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def select_pairs(options: argparse.Namespace, known: Mapping[str, Peer]) -> list[Pair]:
    if options.pairs:
        return [parse_pair(text, known) for text in options.pairs.split(",")]
    pairs = possible_pairs([look_up(name, known, "peer") for name in options.peers.split(",")])
    return [pair for pair in pairs if options.all_pairs or SUBJECT in (pair[0].name, pair[1].name)]


def parse_pair(text: str, known: Mapping[str, Peer]) -> Pair:
    names = text.split(":")
    if len(names) != 2:
        fail(EXIT_USAGE, f"{text!r} is not CLIENT:SERVER")
    client, server = (look_up(name, known, "peer") for name in names)
    if not possible_pairs([client, server]) or not client.client or not server.server:
        fail(EXIT_USAGE, f"{client.name} as client and {server.name} as server can't be a pair")
    return client, server


def look_up(name: str, known: Mapping[str, Value], kind: str) -> Value:
    if name not in known:
        fail(EXIT_USAGE, f"no {kind} {name!r}; there are {', '.join(known)}")
    return known[name]


def select_cells(options: argparse.Namespace, pairs: list[Pair]) -> list[Cell]:
    names = options.cases.split(",") if options.cases else list(CASES)
    cases = [look_up(name, CASES, "case") for name in names]
    if options.quick and not options.cases:
        cases = [case for case in cases if not case.has_cross_traffic]
    cells = [
        Cell(client, server, case)
        for client, server in pairs
        for case in cases
        if speak(client, server, case.protocol) and client.client and client.client.covers(case.name)
    ]
    if not cells:
        fail(EXIT_USAGE, "none of these pairs can do these cases")
    return [with_seed(cell, options.seed) for cell in cells]


def run(options: argparse.Namespace, cells: list[Cell], reference: Peer) -> list[Result]:
    trials = options.out / "verification"
    verifier = Verifier(reference, lambda cell: run_cell(cell, trials, keep=options.keep))

    def judge(cell: Cell) -> Outcome:
        if reason := lacking(cell):
            return Outcome(Status.SKIPPED, reason)
        if excuse := verifier.excuse(cell):
            return Outcome(Status.UNSUPPORTED, excuse)
        return run_cell(cell, options.out, keep=options.keep)

    return Runner(judge, len(cells)).run(cells, options.jobs)


def report(options: argparse.Namespace, results: list[Result]) -> int:
    """Prints the matrix, and tells the exit status."""
    print(table(results, list(CASES)))
    for status in (Status.UNSUPPORTED, Status.FAILED):
        if lines := remarks(results, status):
            print("\n" + "\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps([result.to_json() for result in results], indent=2) + "\n")
    failed = any(result.outcome.status is Status.FAILED for result in results)
    if failed:
        print(f"\nLogs, keys and captures of what failed: {options.out}")
    skipped = tell_skipped(results)
    return EXIT_FAILED if failed else EXIT_UNAVAILABLE if skipped else 0


def tell_skipped(results: list[Result]) -> bool:
    skipped = [result for result in results if result.outcome.status is Status.SKIPPED]
    if skipped:
        reasons = "; ".join(dict.fromkeys(result.outcome.detail for result in skipped))
        by_pair: dict[str, list[str]] = {}
        for result in skipped:
            by_pair.setdefault(":".join(pair_of(result)), []).append(result.cell.case.name)
        cells = ", ".join(f"{pair} ({' '.join(names)})" for pair, names in by_pair.items())
        print(f"interop: {reasons}; skipped {len(skipped)} of {len(results)} cells: {cells}", file=sys.stderr)
    return bool(skipped)
