#!/usr/bin/env python3
"""Sends faults to a running server and checks the error that each is answered with: see --help."""

from __future__ import annotations

import sys

from harness.environment import enter_environment
from injector import options as command_line

if __name__ == "__main__":
    options = command_line.parse()
    enter_environment(options.prefix, "all faults")
    from injector.main import main

    sys.exit(main(options))
