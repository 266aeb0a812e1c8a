"""The command line of `faults.py`. It needs only the standard library."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.options import EXIT_USAGE, Parser, absolute, default_prefix, fail

PARTS = ("transport", "tls", "http3", "qpack")
# Where there is no HTTP/3, only the lower half can be asked about.
PARTS_WITHOUT_HTTP3 = PARTS[:2]
PATIENCE = 3.0

DESCRIPTION = """Sends a running server what no client may send, and checks the error it answers with: the
50 checks of h3spec (github.com/kazu-yamamoto/h3spec), each on a connection of its own."""
EPILOGUE = """exit status: 0 the server gave the expected error to every fault, 1 it did not, 64 wrong
arguments, 69 aioquic is not installed or no server answers. The server has to accept early data, or the fault
of 0-RTT fails."""


def parse() -> argparse.Namespace:
    parser = Parser(description=DESCRIPTION, epilog=EPILOGUE)
    parser.add_argument("--against", type=endpoint, metavar="HOST:PORT", help="where the server listens")
    parser.add_argument(
        "--mhq", type=absolute, metavar="FILE", help="start this program's `serve` instead, and ask that"
    )
    parser.add_argument("--protocol", default="h3", metavar="ALPN", help="default: h3")
    parser.add_argument("--parts", metavar="PART,...", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--only", metavar="NAME,...", help="these faults; --list names them")
    parser.add_argument(
        "--generic",
        action="store_true",
        help="accept general errors for specific ones, as RFC 9000 section 11 and h3spec do",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"how long an answer may take; default: {PATIENCE:g}",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of the table")
    parser.add_argument("--list", action="store_true", help="list the faults")
    parser.add_argument("--prefix", type=Path, default=default_prefix(), metavar="FOLDER",
                        help="where install-peers.sh put the peers")  # fmt: skip
    options = parser.parse_args()
    if not options.list and bool(options.against) == bool(options.mhq):
        fail(EXIT_USAGE, "either --against or --mhq: which server? (see --help)")
    options.parts = select_parts(options)
    return options


def select_parts(options: argparse.Namespace) -> list[str]:
    if not options.parts:
        return list(PARTS if options.protocol.startswith("h3") else PARTS_WITHOUT_HTTP3)
    chosen = options.parts.split(",")
    for part in chosen:
        if part not in PARTS:
            fail(EXIT_USAGE, f"--parts: no part {part!r}; there are {', '.join(PARTS)}")
    return list(chosen)


def endpoint(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit():
        fail(EXIT_USAGE, f"--against: {text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
