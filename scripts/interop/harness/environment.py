"""Continues a program in the peers' virtual environment: checks and faults need what aioquic depends on."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from harness.options import EXIT_UNAVAILABLE, fail


def enter_environment(prefix: Path, skipped: str) -> None:
    """`skipped` says what is not done where there is no such environment."""
    if importlib.util.find_spec("aioquic") is not None:
        return
    python = prefix / "venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == python.parent.parent:
        remedy = "scripts/install-peers.sh aioquic"
        fail(EXIT_UNAVAILABLE, f"no aioquic in {prefix} ({remedy}); skipped {skipped}")
    os.execv(python, [str(python), *sys.argv])
