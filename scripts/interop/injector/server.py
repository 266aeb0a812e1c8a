"""An `mhq serve` of our own to send faults to."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from capture.pcap import Address
from endpoints.mhq_server import serve_arguments
from harness.certificates import write_chain
from harness.network import IPV4, free_port
from harness.options import EXIT_UNAVAILABLE, fail
from harness.process import Child
from peers.mhq import commands


@contextlib.contextmanager
def started(binary: Path) -> Iterator[Address]:
    if not binary.exists() or "serve" not in commands(binary):
        what = "has no serve yet" if binary.exists() else f"is not at {binary}"
        fail(EXIT_UNAVAILABLE, f"mhq {what}; skipped all faults")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_chain(folder / "certs")
        address = (IPV4, free_port(IPV4))
        command = [str(binary), *serve_arguments(address, folder, folder / "certs")]
        with Child(command, {}, folder / "server.log"):
            yield address
