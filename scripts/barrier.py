#!/usr/bin/env python3
"""How long it takes until the clients of a server are ready for a move: real processes on the loopback interface.

Each client is an `mhq get` with a connection of its own. The server tells by its operator's socket how long it took
from the command until every client had acknowledged it. A round trip on the loopback interface takes next to nothing,
so it counts as nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

PIECE = b"x" * 100


def main() -> int:
    parser = argparse.ArgumentParser(description="Time how fast clients get ready to move.")
    parser.add_argument("--mhq", default=".build/release/mhq", metavar="FILE")
    parser.add_argument("--clients", type=int, default=50, metavar="N")
    parser.add_argument("--loops", type=int, default=4, metavar="N", help="the server's event loops; default: 4")
    parser.add_argument("--rounds", type=int, default=101, metavar="N")
    parser.add_argument("--limit", type=float, default=10, metavar="MS", help="for the median; default: 10")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        control = start_server(stack, options, folder, port)
        clients = start_clients(stack, options, port)
        spans = measure(control, options, port)
        still_there = all(answers(client) for client in clients)
    load = os.getloadavg()[0]
    middle = statistics.median(spans)
    print(f"{options.clients} clients are ready after {middle:.1f} ms at the median of {len(spans)} "
          f"({min(spans):.1f} to {max(spans):.1f}); the machine's load is {load:.1f}")  # fmt: skip
    if not still_there:
        print("a client got no answer afterwards", file=sys.stderr)
    return 0 if middle <= options.limit and still_there else 1


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def start_server(stack: ExitStack, options: argparse.Namespace, folder: Path, port: int) -> Path:
    control = folder / "control"
    command = [options.mhq, "serve", "--listen", f"127.0.0.1:{port}", "--no-tcp", "--control", str(control),
               "--allow-destination", "127.0.0.0/8", "--loops", str(options.loops), "--grace", "0.1"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(end, server)
    while not control.exists():
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}")
        time.sleep(0.02)
    return control


def start_clients(stack: ExitStack, options: argparse.Namespace, port: int) -> list[subprocess.Popen[bytes]]:
    clients = []
    for _ in range(options.clients):
        command = [options.mhq, "get", "--insecure", "--silent", "--data", "-", "--output", "-",
                   f"https://127.0.0.1:{port}/echo"]  # fmt: skip
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stack.callback(end, client)
        if not answers(client):
            sys.exit("a client got no answer")
        clients.append(client)
    return clients


def answers(client: subprocess.Popen[bytes]) -> bool:
    assert client.stdin and client.stdout
    client.stdin.write(PIECE)
    client.stdin.flush()
    return client.stdout.read(len(PIECE)) == PIECE


def measure(control: Path, options: argparse.Namespace, port: int) -> list[float]:
    """In milliseconds. Each plan is called off, so that the next one tells all clients anew."""
    spans = []
    for _ in range(options.rounds):
        destinations = [f"127.0.0.2:{port}"]
        plan = ask(control, command="prepare", strategy="explicit", destinations=destinations, deadline=60)
        if plan["ready"] != options.clients:
            sys.exit(f"not all are ready: {plan['summary']}")
        spans.append(1000 * float(str(plan["seconds"])))
        ask(control, command="cancel", epoch=plan["epoch"])
        # What that makes clients do is no part of the next measurement.
        time.sleep(0.05)
    return spans


def ask(control: Path, **members: object) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(control))
        connection.sendall(json.dumps(members).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            line += connection.recv(65536)
    answer: dict[str, object] = json.loads(line)
    if not answer["ok"]:
        sys.exit(str(answer["error"]))
    return answer


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
