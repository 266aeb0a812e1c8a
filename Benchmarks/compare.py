#!/usr/bin/env python3
"""Measures what Godwit costs, beside ngtcp2's own client and server in the same run.

Absolute times of one machine on one day mean little, so the programs take turns and ratios are what counts.
Everything runs in a network namespace of its own whose loopback has an MTU of 1500 (needs root). README.md says what
the rows mean.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass

import measuring
import programs
import wire
from measuring import Cost
from programs import Program

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("bulk", "requests", "connections", "http3-requests", "http3-bulk", "idle", "allocations", "wire")
IDLE = 1000

# The costs of each program, one a round.
Figures = dict[str, list[Cost]]


@dataclass
class Part:
    """A table of costs."""

    title: str
    unit: str
    # What turns seconds into the unit.
    factor: float
    columns: tuple[str, ...]
    figures: Figures
    # Of which programs the ratio of what they cost is taken.
    pairs: tuple[tuple[str, str], ...] = (("mhq", "ngtcp2"), ("core", "ngtcp2"), ("mhq", "core"))


# -- What is measured


def interleaved(arguments: argparse.Namespace, of: list[Program], title: str, measure) -> Figures:
    figures: Figures = {program.name: [] for program in of}
    for number in range(1, arguments.rounds + 1):
        for program in of:
            print(f"{title}, round {number} of {arguments.rounds}: {program.name}", file=sys.stderr, flush=True)
            figures[program.name].append(measure(program))
    return figures


def bulk(arguments: argparse.Namespace, of: list[Program]) -> Part:
    gigabytes = arguments.bytes / 1e9

    def measure(program: Program) -> Cost:
        return measuring.run(program.server, [program.bulk(arguments.bytes)]).over(gigabytes)

    return Part("a GB on one stream", "CPU s", 1, ("client", "server", "wall"), interleaved(
        arguments, of, "bulk", measure))


def difference(program: Program, commands, short: int, long: int) -> Cost:
    """What one more costs, so that the start of the programs does not count."""
    costs = [measuring.run(program.server, commands(count)) for count in (short, long)]
    return costs[1].less(costs[0]).over(long - short)


def requests(arguments: argparse.Namespace, of: list[Program]) -> Part:
    count = arguments.requests

    def measure(program: Program) -> Cost:
        return difference(program, lambda count: [program.requests(count)], count // 10, count)

    return Part("a request of 1,000 bytes, 100 at once", "CPU µs", 1e6, ("client", "server", "wall"), interleaved(
        arguments, of, "requests", measure))


def connections(arguments: argparse.Namespace, of: list[Program]) -> Part:
    count = arguments.connections

    def measure(program: Program) -> Cost:
        return difference(program, program.connections, count // 10, count)

    # ngtcp2's client is a process for each connection; the others' clients are one process.
    return Part("a full handshake and 1,000 bytes", "CPU µs", 1e6, ("server",), interleaved(
        arguments, of, "connections", measure))


# Whose server costs what is measured with one client for all, and whose client, with one server for all.
HTTP3_PAIRS = (
    ("mhq < ngtcp2", "nginx < ngtcp2"), ("mhq < ngtcp2", "ngtcp2 < ngtcp2"), ("ngtcp2 < mhq", "ngtcp2 < ngtcp2"))


def http3_requests(arguments: argparse.Namespace, of: list[Program]) -> Part:
    count = arguments.requests

    def measure(program: Program) -> Cost:
        return difference(program, lambda count: [program.requests(count)], count // 10, count)

    return Part("a request of 1,000 bytes over HTTP/3 (server < client)", "CPU µs", 1e6, ("client", "server", "wall"),
                interleaved(arguments, of, "requests over HTTP/3", measure), HTTP3_PAIRS)


def http3_bulk(arguments: argparse.Namespace, of: list[Program]) -> Part:
    gigabytes = arguments.bytes / 1e9

    def measure(program: Program) -> Cost:
        return measuring.run(program.server, [program.bulk(arguments.bytes)]).over(gigabytes)

    return Part("a GB over HTTP/3 (server < client)", "CPU s", 1, ("client", "server", "wall"),
                interleaved(arguments, of, "bulk over HTTP/3", measure), HTTP3_PAIRS)


def http3_programs(arguments: argparse.Namespace, folder: pathlib.Path) -> list[Program]:
    ngtcp2, nginx = find_ngtcp2(arguments), find_program("nginx")
    if not nginx:
        print("compare.py: no nginx; scripts/install-peers.sh nginx gets it", file=sys.stderr)
    servers = programs.http3_servers(arguments.mhq, ngtcp2, nginx, folder)
    pairs = [("ngtcp2", name) for name in servers] + [("mhq", "ngtcp2"), ("mhq", "mhq")]
    result = [
        programs.http3(client, server, servers[server], arguments.mhq, ngtcp2, folder) for client, server in pairs]
    for (client, _), program in zip(pairs, result):
        if client == "ngtcp2":
            check_ngtcp2(program, folder, arguments.bytes)
    return result


TRANSPORT = {"bulk": bulk, "requests": requests, "connections": connections}
HTTP3 = {"http3-requests": http3_requests, "http3-bulk": http3_bulk}


def idle(arguments: argparse.Namespace, program: Program) -> float:
    """Bytes of the server's memory for a connection that does nothing."""
    serving = measuring.start(program.server)
    try:
        output = subprocess.run(
            ["sh", "-c", "sleep 1; exec \"$@\"", "sh", str(arguments.mhq), "perf", "client", programs.ADDRESS, "--idle",
             str(IDLE), "--json"],
            check=True, capture_output=True)
    finally:
        serving.terminate()
        serving.wait()
    return json.loads(output.stdout)["serverBytesPerIdleConnection"]


def allocations(arguments: argparse.Namespace, of: list[Program], folder: pathlib.Path) -> dict[str, dict[str, float]]:
    """How many more calls of malloc a long transfer makes than a short one, for each packet that it is longer."""
    counter = folder / "count.so"
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", counter, ROOT / "Benchmarks" / "malloc_count.c"], check=True)
    sizes = (arguments.bytes // 10, arguments.bytes)
    packets = (sizes[1] - sizes[0]) / 1400
    result = {}
    for program in of:
        short, long = (measuring.count_allocations(program, size, counter, folder) for size in sizes)
        result[program.name] = {
            side: (long[index] - short[index]) / packets for index, side in enumerate(("client", "server"))}
    return result


# -- What is printed


def medians(part: Part, name: str) -> dict[str, float]:
    return {
        column: part.factor * statistics.median(getattr(cost, column) for cost in part.figures[name])
        for column in part.columns}


def ratios(part: Part) -> dict[str, dict[str, float]]:
    """Of each pair of programs the ratio of their costs, round by round."""
    return {
        f"({ours}) / ({theirs})" if "<" in ours else f"{ours} / {theirs}": {
            column: statistics.median(
                getattr(a, column) / getattr(b, column) for a, b in zip(part.figures[ours], part.figures[theirs]))
            for column in part.columns}
        for ours, theirs in part.pairs if ours in part.figures and theirs in part.figures}


def table(part: Part) -> str:
    header = f"{part.unit} {part.title}"
    lines = [f"{header:50}" + "".join(f"{column:>10}" for column in part.columns)]
    rows = {name: medians(part, name) for name in part.figures} | ratios(part)
    for name, row in rows.items():
        digits = 2 if "/" in name else 3 if part.factor == 1 else 1
        lines.append(f"  {name:48}" + "".join(f"{row[column]:10.{digits}f}" for column in part.columns))
    return "\n".join(lines) + "\n"


def as_json(part: Part) -> dict[str, object]:
    return {
        "unit": f"{part.unit} {part.title}",
        "median": {name: medians(part, name) for name in part.figures},
        "ratio": ratios(part),
        "rounds": {
            name: [{key: value * part.factor for key, value in asdict(cost).items()} for cost in costs]
            for name, costs in part.figures.items()},
    }


# -- Making ready


def make_files(folder: pathlib.Path, size: int) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
         folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    for name, length in (("bulk", size), ("small", programs.SMALL)):
        with open(folder / name, "wb") as file:
            file.truncate(length)


def check_ngtcp2(program: Program, folder: pathlib.Path, size: int) -> None:
    """Its client exits with 0 whatever happens, so transfers that are not timed go to a file or are logged."""
    received = folder / "received"
    received.mkdir(exist_ok=True)
    client = program.bulk(size)
    measuring.run(program.server, [[client[0], f"--download={received}", *client[1:]]])
    got = received / "bulk"
    length = got.stat().st_size if got.exists() else 0
    if length != size:
        sys.exit(f"compare.py: {program.name}: {length} of {size} bytes came; the figures would be worth nothing")
    got.unlink()
    answers = count_answers(program, 300)
    if answers != 300:
        sys.exit(f"compare.py: {program.name}: {answers} of 300 answers came; the figures would be worth nothing")


def count_answers(program: Program, count: int) -> int:
    serving = measuring.start(program.server)
    client = [argument for argument in program.requests(count) if argument not in ("-q", "--no-http-dump")]
    try:
        log = subprocess.run(["sh", "-c", "sleep 1; exec \"$@\"", "sh", *client], capture_output=True)
    finally:
        serving.terminate()
        serving.wait()
    return (log.stdout + log.stderr).count(b"[:status: 200]")


def enter_namespace(mtu: int) -> None:
    """Starts over in a network namespace of its own, if this is not one yet."""
    if os.environ.get("GODWIT_BENCH_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "mtu", str(mtu), "up"], check=True)
        return
    if os.geteuid() != 0:
        print("compare.py: needs root for a network namespace", file=sys.stderr)
        sys.exit(77)
    os.environ["GODWIT_BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mhq", type=pathlib.Path, default=ROOT / ".build/release/mhq")
    parser.add_argument("--core", type=pathlib.Path, default=ROOT / ".build/release/CoreBenchmark")
    parser.add_argument("--ngtcp2", help="the folder of gtlsclient and gtlsserver; default: as installed")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this alone; may be given again")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=512 << 20, help="of a bulk transfer")
    parser.add_argument("--requests", type=int, default=20_000, help="of 1,000 bytes on one connection")
    parser.add_argument("--connections", type=int, default=300, help="one after the other")
    parser.add_argument("--mtu", type=int, default=1500)
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the figures of every round")
    return parser.parse_args()


def find_program(name: str) -> pathlib.Path | None:
    prefix = pathlib.Path(os.environ.get("GODWIT_PEERS", ROOT / ".build/peers")) / "bin"
    found = shutil.which(name, path=f"{prefix}:{os.environ.get('PATH', '')}")
    return pathlib.Path(found) if found else None


def find_ngtcp2(arguments: argparse.Namespace) -> pathlib.Path:
    if arguments.ngtcp2:
        return pathlib.Path(arguments.ngtcp2)
    found = find_program("gtlsclient")
    if not found:
        sys.exit("compare.py: gtlsclient is not installed; scripts/install-peers.sh ngtcp2 does that")
    return found.parent


def check_programs(arguments: argparse.Namespace) -> None:
    for program in (arguments.mhq, arguments.core):
        if not program.exists():
            sys.exit(f"compare.py: {program} is not there; `swift build -c release --product {program.name}` makes it")


def measure(arguments: argparse.Namespace, folder: pathlib.Path) -> dict[str, object]:
    own = [programs.perf("mhq", arguments.mhq, "perf"), programs.perf("core", arguments.core)]
    wanted = set(arguments.only or PARTS)
    result: dict[str, object] = {}
    if wanted & (TRANSPORT.keys() | HTTP3.keys()):
        make_files(folder, arguments.bytes)
    if wanted & TRANSPORT.keys():
        ngtcp2 = programs.ngtcp2(find_ngtcp2(arguments), folder)
        check_ngtcp2(ngtcp2, folder, arguments.bytes)
        result |= {name: part(arguments, [*own, ngtcp2]) for name, part in TRANSPORT.items() if name in wanted}
    if wanted & HTTP3.keys():
        web = http3_programs(arguments, folder)
        result |= {name: part(arguments, web) for name, part in HTTP3.items() if name in wanted}
    if "idle" in wanted:
        result["idle"] = {program.name: idle(arguments, program) / 1024 for program in own}
    if "allocations" in wanted:
        result["allocations"] = allocations(arguments, own, folder)
    if "wire" in wanted:
        result["wire"] = wire.run(arguments.rounds)
    return result


def text(name: str, part: object) -> str:
    if isinstance(part, Part):
        return table(part)
    if name == "wire":
        return wire.table(part)
    if name == "idle":
        title = f"KB of the server's memory an idle connection ({IDLE} of them)"
        return "\n".join([title, *(f"  {program:48}{value:20.1f}" for program, value in part.items())]) + "\n"
    lines = [f"{'calls of malloc a packet of a bulk transfer':50}{'client':>10}{'server':>10}"]
    lines += [f"  {program:48}{row['client']:10.4f}{row['server']:10.4f}" for program, row in part.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = parse()
    check_programs(arguments)
    find_ngtcp2(arguments)
    enter_namespace(arguments.mtu)
    with tempfile.TemporaryDirectory() as name:
        result = measure(arguments, pathlib.Path(name))
    if arguments.json:
        print(json.dumps({
            name: as_json(part) if isinstance(part, Part) else part for name, part in result.items()}, indent=1))
        return
    for name, part in result.items():
        print(text(name, part))


main()
