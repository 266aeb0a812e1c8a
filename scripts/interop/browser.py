#!/usr/bin/env python3
"""Has headless Chromium load a page with a hundred parts from `mhq serve`: see --help."""

from __future__ import annotations

import sys

from harness.environment import enter_environment
from web import options as command_line

if __name__ == "__main__":
    options = command_line.parse()
    enter_environment(options.prefix, "the browser's visit")
    from web.main import main

    sys.exit(main(options))
