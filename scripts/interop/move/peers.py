"""Other programs, which know nothing of servers that move: they get a file from one that is about to."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from harness.process import Child
from move.network import MovingNetwork
from move.server import MoveFailed, MovingServer, address

SIZE = 15_000_000
PATIENCE = 60.0


def command_of(peer: str, prefix: Path, folder: Path) -> list[str] | None:
    """What fetches the file into the folder; nil if it is not installed."""
    url = f"https://{address(0)}/bytes/{SIZE}"
    host, port = address(0).split(":")
    match peer:
        case "curl":
            program = prefix / "bin" / "curl"
            command = [str(program), "--http3-only", "--insecure", "--fail", "--silent", "--output",
                       str(folder / str(SIZE)), url]  # fmt: skip
        case "ngtcp2":
            program = prefix / "bin" / "gtlsclient"
            command = [str(program), "-q", "--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close",
                       f"--download={folder}", host, port, url]  # fmt: skip
        case _:
            program = prefix / "aioquic-examples" / "http3_client.py"
            command = [sys.executable, str(program), "--insecure", "--output-dir", str(folder), url]
    return command if program.exists() else None


def wait_until_connected(peer: str, client: Child, server: MovingServer) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.ask("status")["openConnections"] != 1:
        if client.wait(0.02) is not None or time.monotonic() > deadline:
            raise MoveFailed(f"{peer} did not connect: {client.last_line()}")
    # The handshake comes to its end.
    client.wait(0.3)


def stay_connected(
    peer: str, prefix: Path, network: MovingNetwork, server: MovingServer, folder: Path
) -> int:
    """How many bytes it got while a move was prepared and called off. -1 if it is not installed."""
    folder.mkdir()
    command = command_of(peer, prefix, folder)
    if command is None:
        return -1
    with Child(network.in_client(command), {}, folder / "log") as client:
        wait_until_connected(peer, client, server)
        answer = server.ask("prepare", "--strategy", "best", "--to", address(1), "--deadline", "5")
        if answer["ready"] != 0 or answer["connections"] != 1:
            raise MoveFailed(f"{peer}: the plan found {answer['summary']}")
        if client.wait(0.3) is not None:
            raise MoveFailed(f"{peer} did not outlast the plan: {client.last_line()}")
        server.ask("cancel", "--epoch", str(answer["epoch"]))
        status = client.wait(PATIENCE)
        if status != 0:
            raise MoveFailed(f"{peer} ended with {status}: {client.last_line()}")
    files = [file for file in folder.iterdir() if file.name != "log"]
    size = sum(file.stat().st_size for file in files)
    if size != SIZE:
        raise MoveFailed(f"{peer} got {size} bytes of {SIZE}")
    return size
