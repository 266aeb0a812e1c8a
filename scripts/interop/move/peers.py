"""Other programs, which know nothing of servers that move: they get a file from one that is about to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from harness.process import Child
from move.network import PLACES, MovingNetwork
from move.routed import RoutedNetwork
from move.server import MoveFailed, MovingServer, address

SIZE = 15_000_000
# One that is not over when the server is frozen.
ENDLESS = 1_000_000_000
PATIENCE = 60.0
# Who is told need not wait until its connection has been silent for too long.
PROMPT = 15.0


def command_of(peer: str, prefix: Path, folder: Path, size: int = SIZE) -> list[str] | None:
    """What fetches the file into the folder; nil if it is not installed."""
    url = f"https://{address(0)}/bytes/{size}"
    host, port = address(0).split(":")
    match peer:
        case "curl":
            program = prefix / "bin" / "curl"
            command = [str(program), "--http3-only", "--insecure", "--fail", "--silent", "--output",
                       str(folder / str(size)), url]  # fmt: skip
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


def received(network: RoutedNetwork) -> int:
    """How many bytes have come to the client."""
    command = ["ip", "-n", network.client, "-json", "-statistics", "link", "show"]
    links = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return sum(int(link["stats64"]["rx"]["bytes"]) for link in links)


def is_served(network: RoutedNetwork, seconds: float) -> bool:
    """Whether anything like a download gets to the client meanwhile."""
    before = received(network)
    time.sleep(seconds)
    return received(network) - before > 100_000


def leave_when_told(
    peer: str, prefix: Path, network: RoutedNetwork, server: MovingServer, folder: Path
) -> float:
    """How long after the hold it knew, in seconds, after it was served until then. -1 if it is not installed."""
    folder.mkdir()
    command = command_of(peer, prefix, folder, ENDLESS)
    if command is None:
        return -1
    with Child(network.in_client(command), {}, folder / "log") as client:
        wait_until_connected(peer, client, server)
        answer = server.ask("prepare", "--strategy", "best", "--to", address(1), "--deadline", "5")
        if not is_served(network, 0.5):
            raise MoveFailed(f"{peer} is not served any more once a move is prepared")
        held_at = time.monotonic()
        server.ask("hold", "--epoch", str(answer["epoch"]), "--release")
        server.freeze()
        # What was said last is still on its way.
        client.wait(0.5)
        network.cut(0)
        if client.wait(PROMPT) is None:
            raise MoveFailed(f"{peer} has not noticed within {PROMPT} s: {client.last_line()}")
        taken = time.monotonic() - held_at
    server.thaw()
    server.ask("switch", "--epoch", str(answer["epoch"]), "--to", address(1))
    for file in folder.iterdir():
        if file.name != "log":
            file.unlink()
    return taken


def last_words(capture: Path, key_log: Path) -> tuple[bool, bool]:
    """Whether the server has said GOAWAY, and CONNECTION_CLOSE, as tshark sees it."""
    command = ["tshark", "-r", str(capture), "-o", f"tls.keylog_file:{key_log}", "-d", "udp.port==4433,quic"]
    found = []
    for words in ("http3.frame_type == 7", "quic.frame_type == 0x1c || quic.frame_type == 0x1d"):
        condition = f"ip.src == {PLACES[0]} && ({words})"
        result = subprocess.run([*command, "-Y", condition], capture_output=True, text=True, check=False)
        found.append(bool(result.stdout.strip()))
    return found[0], found[1]
