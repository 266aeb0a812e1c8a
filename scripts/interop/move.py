#!/usr/bin/env python3
"""Has a real server move between two addresses in namespaces of their own: see --help."""

from __future__ import annotations

import sys

from harness.environment import enter_environment
from move import options as command_line

if __name__ == "__main__":
    options = command_line.parse()
    enter_environment(options.prefix, "moves in namespaces")
    from move.main import main

    sys.exit(main(options))
