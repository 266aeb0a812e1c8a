"""From the command line to the table."""

from __future__ import annotations

import argparse
import json
import sys

from capture.pcap import Address
from harness.options import EXIT_FAILED, EXIT_UNAVAILABLE, EXIT_USAGE, fail
from harness.probe import wait_until_ready
from injector.fault import Fault, Observation
from injector.http3 import HTTP3_FAULTS
from injector.server import started
from injector.session import Target, observe
from injector.transport import TRANSPORT_FAULTS

FAULTS = [*TRANSPORT_FAULTS, *HTTP3_FAULTS]


def main(options: argparse.Namespace) -> int:
    faults = select(options)
    if options.list:
        for fault in faults:
            print(f"{fault.name:<36} {fault.part:<10} {fault.section:<34} {fault.story}")
        return 0
    if options.mhq:
        with started(options.mhq) as address:
            return ask(address, faults, options)
    return ask(options.against, faults, options)


def ask(address: Address, faults: list[Fault], options: argparse.Namespace) -> int:
    if not wait_until_ready(address, options.patience):
        fail(EXIT_UNAVAILABLE, f"no QUIC server answers at {address[0]}:{address[1]}; skipped all faults")
    target = Target(address, options.protocol, options.patience)
    return report([observe(target, fault) for fault in faults], options)


def select(options: argparse.Namespace) -> list[Fault]:
    faults = [fault for fault in FAULTS if fault.part in options.parts]
    if not options.only:
        return faults
    by_name = {fault.name: fault for fault in FAULTS}
    names = options.only.split(",")
    for name in names:
        if name not in by_name:
            fail(EXIT_USAGE, f"--only: no fault {name!r}; --list names them")
    return [by_name[name] for name in names]


def report(observations: list[Observation], options: argparse.Namespace) -> int:
    verdicts = [(entry, entry.fault.accepts(entry.answer, generic=options.generic)) for entry in observations]
    if options.json:
        print(json.dumps([entry.to_json(passed=passed) for entry, passed in verdicts], indent=2))
    else:
        print(table(verdicts))
    failed = sum(not passed for _, passed in verdicts)
    summary = f"faults: {len(verdicts) - failed} of {len(verdicts)} answered with the expected error"
    print(summary, file=sys.stderr)
    return EXIT_FAILED if failed else 0


def table(verdicts: list[tuple[Observation, bool]]) -> str:
    rows = [["", "fault", "RFC", "expected", "answer"]]
    for entry, passed in verdicts:
        fault = entry.fault
        expected = " or ".join(str(error) for error in fault.expected)
        answer = str(entry.answer) if entry.answer else entry.detail
        rows.append(["✓" if passed else "✗", fault.story, fault.section, expected, answer])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
