"""What the mhq at hand can do: the harness may be older or newer than it."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from endpoints.contract import HTTP3

PATIENCE = 10


@functools.cache
def commands(binary: Path) -> set[str]:
    """The first word of each line of what it says of itself."""
    command = [str(binary), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return {line.split()[0] for line in result.stdout.splitlines() if line.strip()}


def lacks(binary: Path, role: str, protocol: str) -> str | None:
    """What it would need for a protocol, and has not got. Its endpoint learns HTTP/3 with the command."""
    command = "get" if role == "client" else "serve"
    if protocol != HTTP3 or command in commands(binary):
        return None
    return f"mhq has no {command} yet"
