#!/usr/bin/env python3
"""Compares the cost of moving bytes with ngtcp2's own client and server, side by side in one run.

Absolute times of one machine on one day mean little, so the programs take turns and ratios are what counts. ngtcp2's
programs speak HTTP/3 and mhq perf a bare protocol over QUIC; the comparison is of transport plus a thin layer. Everything
runs in a network namespace of its own whose loopback has an MTU of 1500 (needs root).
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 4433


@dataclass
class Cost:
    """CPU seconds of one transfer."""

    client: float
    server: float
    wall: float


@dataclass
class Figures:
    rounds: list[Cost] = field(default_factory=list)

    def median(self, name: str, gigabytes: float) -> float:
        return statistics.median(getattr(cost, name) / gigabytes for cost in self.rounds)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def start(command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment})


def transfer(server: list[str], client: list[str]) -> Cost:
    serving = start(server)
    time.sleep(1.0)
    began = time.monotonic()
    fetching = start(client)
    client_cpu = cpu_seconds(fetching)
    wall = time.monotonic() - began
    serving.send_signal(signal.SIGTERM)
    return Cost(client_cpu, cpu_seconds(serving), wall)


def make_certificate(folder: pathlib.Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)


def sides(arguments: argparse.Namespace, folder: pathlib.Path) -> dict[str, tuple[list[str], list[str]]]:
    mhq = str(arguments.mhq)
    address = f"127.0.0.1:{PORT}"
    ngtcp2 = pathlib.Path(arguments.ngtcp2)
    return {
        "mhq": (
            [mhq, "perf", "server", "--listen", address],
            [mhq, "perf", "client", address, "--download", str(arguments.bytes)]),
        "ngtcp2": (
            [str(ngtcp2 / "gtlsserver"), "-q", "-d", str(folder), "127.0.0.1", str(PORT), str(folder / "key.pem"),
             str(folder / "cert.pem")],
            [str(ngtcp2 / "gtlsclient"), "-q", "--exit-on-all-streams-close", "--no-quic-dump", "--no-http-dump",
             "127.0.0.1", str(PORT), f"https://localhost:{PORT}/bulk"]),
    }


def check_ngtcp2(programs: dict[str, tuple[list[str], list[str]]], folder: pathlib.Path, size: int) -> None:
    """Its client exits with 0 whatever happens, so one transfer that is not timed goes to a file."""
    (folder / "got").mkdir()
    server, client = programs["ngtcp2"]
    transfer(server, [client[0], f"--download={folder / 'got'}", *client[1:]])
    got = folder / "got" / "bulk"
    received = got.stat().st_size if got.exists() else 0
    if received != size:
        sys.exit(f"compare.py: ngtcp2 got {received} of {size} bytes; its figures would be worth nothing")


def compare(arguments: argparse.Namespace) -> dict[str, Figures]:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificate(folder)
        with open(folder / "bulk", "wb") as file:
            file.truncate(arguments.bytes)
        programs = sides(arguments, folder)
        check_ngtcp2(programs, folder, arguments.bytes)
        figures = {program: Figures() for program in programs}
        for round_number in range(arguments.rounds):
            for program, (server, client) in programs.items():
                print(f"round {round_number + 1} of {arguments.rounds}: {program}", file=sys.stderr, flush=True)
                figures[program].rounds.append(transfer(server, client))
        return figures


def table(figures: dict[str, Figures], gigabytes: float) -> str:
    lines = [f"{'CPU s a GB (median)':22}{'client':>10}{'server':>10}{'Mbit/s':>10}"]
    for program, of in figures.items():
        speed = statistics.median(gigabytes * 8000 / cost.wall for cost in of.rounds)
        lines.append(
            f"{program:22}{of.median('client', gigabytes):10.3f}{of.median('server', gigabytes):10.3f}{speed:10.0f}")
    ratios = [
        statistics.median(
            getattr(ours, side) / getattr(theirs, side)
            for ours, theirs in zip(figures["mhq"].rounds, figures["ngtcp2"].rounds))
        for side in ("client", "server")
    ]
    lines.append(f"{'ratio, round by round':22}{ratios[0]:10.2f}{ratios[1]:10.2f}")
    return "\n".join(lines)


def allocations(arguments: argparse.Namespace) -> str:
    """How many more calls of malloc a long transfer makes than a short one, for each packet that it is longer."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        library = folder / "count.so"
        subprocess.run(
            ["cc", "-O2", "-shared", "-fPIC", "-o", library, ROOT / "Benchmarks" / "malloc_count.c"], check=True)
        sizes = (arguments.bytes // 10, arguments.bytes)
        counts = [count_allocations(arguments, size, library, folder) for size in sizes]
    packets = (sizes[1] - sizes[0]) / 1400
    client, server = ((counts[1][side] - counts[0][side]) / packets for side in (0, 1))
    return f"allocations a packet in steady state: {client:.4f} client, {server:.4f} server"


def count_allocations(
    arguments: argparse.Namespace, size: int, library: pathlib.Path, folder: pathlib.Path
) -> tuple[int, int]:
    mhq = str(arguments.mhq)
    files = folder / "client", folder / "server"
    server = start(
        [mhq, "perf", "server", "--listen", f"127.0.0.1:{PORT}"], LD_PRELOAD=str(library),
        MALLOC_COUNT_FILE=str(files[1]))
    time.sleep(1.0)
    client = start(
        [mhq, "perf", "client", f"127.0.0.1:{PORT}", "--download", str(size)], LD_PRELOAD=str(library),
        MALLOC_COUNT_FILE=str(files[0]))
    client.wait()
    server.send_signal(signal.SIGTERM)
    server.wait()
    return int(files[0].read_text()), int(files[1].read_text())


def enter_namespace(mtu: int) -> None:
    """Starts over in a network namespace of its own, if this is not one yet."""
    if os.environ.get("GODWIT_BENCH_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "mtu", str(mtu), "up"], check=True)
        return
    if os.geteuid() != 0:
        sys.exit("compare.py: needs root for a network namespace (exit 77)")
    os.environ["GODWIT_BENCH_NAMESPACE"] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mhq", type=pathlib.Path, default=ROOT / ".build/release/mhq")
    parser.add_argument("--ngtcp2", default="", help="the folder of gtlsclient and gtlsserver; default: as installed")
    parser.add_argument("--bytes", type=int, default=512 << 20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mtu", type=int, default=1500)
    parser.add_argument("--json", action="store_true", help="print the figures of every round as JSON")
    return parser.parse_args()


def find_ngtcp2(arguments: argparse.Namespace) -> None:
    if arguments.ngtcp2:
        return
    prefix = ROOT / ".build/peers/bin"
    found = shutil.which("gtlsclient", path=f"{prefix}:{os.environ.get('PATH', '')}")
    if not found:
        sys.exit("compare.py: gtlsclient is not installed; scripts/install-peers.sh ngtcp2 does that")
    arguments.ngtcp2 = str(pathlib.Path(found).parent)


def main() -> None:
    arguments = parse()
    find_ngtcp2(arguments)
    if not arguments.mhq.exists():
        sys.exit(f"compare.py: {arguments.mhq} is not there; swift build -c release --product mhq makes it")
    enter_namespace(arguments.mtu)
    figures = compare(arguments)
    if arguments.json:
        print(json.dumps({name: [asdict(cost) for cost in of.rounds] for name, of in figures.items()}))
        return
    print(table(figures, arguments.bytes / 1e9))
    print(allocations(arguments))


main()
