#!/usr/bin/env python3
"""Runs the matrix of README.md: `scripts/interop/run.py --help`."""

from __future__ import annotations

import sys

from harness import options as command_line
from harness.environment import enter_environment

if __name__ == "__main__":
    options = command_line.parse()
    enter_environment(options.prefix, "all cells")
    from harness.main import main

    sys.exit(main(options))
