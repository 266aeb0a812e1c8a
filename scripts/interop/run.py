#!/usr/bin/env python3
"""Runs the matrix of README.md: `scripts/interop/run.py --help`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from harness import options as command_line
from harness.options import EXIT_UNAVAILABLE, fail


def enter_environment(prefix: Path) -> None:
    """Continues in the peers' virtual environment: the checks need what aioquic depends on."""
    if importlib.util.find_spec("aioquic") is not None:
        return
    python = prefix / "venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == python.parent.parent:
        remedy = "scripts/install-peers.sh aioquic"
        fail(EXIT_UNAVAILABLE, f"no aioquic in {prefix} ({remedy}); skipped all cells")
    os.execv(python, [str(python), *sys.argv])


if __name__ == "__main__":
    options = command_line.parse()
    enter_environment(options.prefix)
    from harness.main import main

    sys.exit(main(options))
