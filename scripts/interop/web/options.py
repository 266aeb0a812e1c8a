"""The command line of `browser.py`. It needs only the standard library."""

from __future__ import annotations

import argparse

from harness.options import REPOSITORY, Parser, absolute, default_prefix

DESCRIPTION = """Has headless Chromium load a page with 100 sub-resources, and proves with its net log that
all 101 came over HTTP/3; then a second time over TCP, where Alt-Svc has to tell it of HTTP/3."""
EPILOGUE = """exit status: 0 the page came as it had to, 1 it did not, 64 wrong arguments, 69 something is not
installed, and nothing was done"""


def parse() -> argparse.Namespace:
    parser = Parser(description=DESCRIPTION, epilog=EPILOGUE)
    release = REPOSITORY / ".build" / "release" / "mhq"
    out = REPOSITORY / "out" / "browser"
    parser.add_argument(
        "--server", choices=("mhq", "nginx"), default="mhq", help="default: mhq; nginx tests this script"
    )
    parser.add_argument("--mhq", type=absolute, default=release, metavar="FILE",
                        help="default: .build/release/mhq")  # fmt: skip
    parser.add_argument("--out", type=absolute, default=out, metavar="FOLDER",
                        help="for the page, the certificate and the logs; default: out/browser")  # fmt: skip
    parser.add_argument("--prefix", type=absolute, default=default_prefix(), metavar="FOLDER",
                        help="where install-peers.sh put the peers")  # fmt: skip
    return parser.parse_args()
