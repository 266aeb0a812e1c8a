"""The command line of `move.py`. It needs only the standard library."""

from __future__ import annotations

import argparse

from harness.options import REPOSITORY, Parser, absolute, default_prefix

STRATEGIES = ("explicit", "pool", "symmetric", "synchronized-symmetric", "combined")
PEERS = ("curl", "ngtcp2", "aioquic")
SCENARIOS = (
    "first-request", "first-request-lossy", "silent-server", "barrier", "dead-clients", "download-only",
    "upload-only", "keep-alive", "nat", "nat-symmetric", "slow-path", "spoofed", "many-moves",
    "cancel-and-retarget", "both-move", "long-freeze", "stranger", "thesis-server", "thesis-client",
    "clock", "same-secret", "victim", "thousand-clients",
)  # fmt: skip

# What a machine that has other things to do may add to a figure, in seconds.
ALLOWANCE = 0.1

DESCRIPTION = """Has `mhq serve` and `mhq get` run in two network namespaces, and the server move from one
address to another and back by every strategy, frozen in between, while the client sends and gets bytes that are
all checked. Datagrams to the address that was left are lost. A capture of it all shows whether a connection id
was used with two addresses of the server's. Then other programs get a file from a server that is about to move.
Scenarios put a program between the namespaces that delays, loses and translates: what they find is in milliseconds."""
EPILOGUE = """exit status: 0 all went as it had to, 1 something did not, 64 wrong arguments, 69 not root or
something is not installed, and nothing was done"""


def parse() -> argparse.Namespace:
    parser = Parser(description=DESCRIPTION, epilog=EPILOGUE)
    release = REPOSITORY / ".build" / "release" / "mhq"
    out = REPOSITORY / "out" / "move"
    parser.add_argument("--mhq", type=absolute, default=release, metavar="FILE",
                        help="default: .build/release/mhq")  # fmt: skip
    parser.add_argument("--out", type=absolute, default=out, metavar="FOLDER",
                        help="for captures, keys and logs; default: out/move")  # fmt: skip
    parser.add_argument("--prefix", type=absolute, default=default_prefix(), metavar="FOLDER",
                        help="where install-peers.sh put the peers")  # fmt: skip
    parser.add_argument("--strategy", action="append", choices=STRATEGIES, help="only this one; may be repeated")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this one; may be repeated")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one; may be repeated")
    parser.add_argument("--allowance", type=float, default=ALLOWANCE, metavar="SECONDS",
                        help="what a busy machine may add to a figure; default: 0.1")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON array of outcomes")
    return parser.parse_args()
