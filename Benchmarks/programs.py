"""The programs that are compared: how each is started to serve, and to fetch."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Callable

HOST = "127.0.0.1"
PORT = 4433
ADDRESS = f"{HOST}:{PORT}"
# What is fetched as a small request, in bytes.
SMALL = 1000

Command = list[str]


@dataclass(frozen=True)
class Program:
    """A server and a client that understand each other."""

    name: str
    server: Command
    # One stream with so many bytes.
    bulk: Callable[[int], Command]
    # So many streams of 1,000 bytes on one connection, 100 at a time.
    requests: Callable[[int], Command]
    # So many connections one after the other, each for one stream of 1,000 bytes; one command or one for each.
    connections: Callable[[int], list[Command]]


def perf(name: str, program: pathlib.Path, *verbs: str) -> Program:
    """mhq perf, and what speaks its protocol."""
    client = [str(program), *verbs, "client", ADDRESS]
    return Program(
        name=name,
        server=[str(program), *verbs, "server", "--listen", ADDRESS],
        bulk=lambda size: [*client, "--download", str(size)],
        requests=lambda count: [*client, "--download", str(SMALL), "--parallel", "100", "--count", str(count)],
        connections=lambda count: [[*client, "--handshakes", str(count)]],
    )


def ngtcp2(programs: pathlib.Path, files: pathlib.Path) -> Program:
    """ngtcp2's own client and server, over HTTP/3, with `files` to serve."""
    options = ["-q", "--exit-on-all-streams-close", "--no-quic-dump", "--no-http-dump"]

    def fetch(name: str, *more: str) -> Command:
        return [str(programs / "gtlsclient"), *options, *more, HOST, str(PORT), f"https://localhost:{PORT}/{name}"]

    return Program(
        name="ngtcp2",
        server=[
            str(programs / "gtlsserver"), "-q", "-d", str(files), HOST, str(PORT), str(files / "key.pem"),
            str(files / "cert.pem"),
        ],
        bulk=lambda size: fetch("bulk"),
        requests=lambda count: fetch("small", "-n", str(count)),
        connections=lambda count: [fetch("small")] * count,
    )
