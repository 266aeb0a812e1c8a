"""The command line. It needs only the standard library: the peers' environment is entered after it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parent.parent.parent.parent
EXIT_FAILED, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 64, 69, 130

SUBJECT = "mhq"
DEFAULT_PEERS = "mhq,aioquic,nginx,ngtcp2,curl"
QUICK_PEERS = "mhq,aioquic"
# Cells mostly wait for their link, so that more of them than there are cores can share the machine.
JOBS, QUICK_JOBS = 2, 4

DESCRIPTION = (
    """Runs the QUIC interop runner's test cases between mhq and other programs, without containers."""
)
EPILOGUE = """exit status: 0 all passed or excused, 1 a cell failed, 64 wrong arguments,
69 something is not installed, 130 interrupted"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(EXIT_USAGE, f"{message} (see --help)")


def fail(status: int, message: str) -> NoReturn:
    print(f"{program()}: {message}", file=sys.stderr)
    sys.exit(status)


def program() -> str:
    name = Path(sys.argv[0]).stem
    return "interop" if name == "run" else name


def parse() -> argparse.Namespace:
    parser = Parser(description=DESCRIPTION, epilog=EPILOGUE)
    add_selection(parser)
    add_execution(parser)
    add_places(parser)
    options = parser.parse_args()
    options.peers, options.all_pairs = options.peers or default_peers(options.quick), bool(options.peers)
    options.jobs = options.jobs or (QUICK_JOBS if options.quick else JOBS)
    return options


def default_peers(is_quick: bool) -> str:
    return QUICK_PEERS if is_quick else DEFAULT_PEERS


def add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to run")
    group.add_argument("--cases", metavar="CASE,...", help="default: all")
    group.add_argument(
        "--peers",
        metavar="PEER,...",
        help=f"all pairs of them; default: the pairs of {DEFAULT_PEERS} with mhq",
    )
    group.add_argument("--pairs", metavar="CLIENT:SERVER,...", help="these pairs, instead of --peers")
    group.add_argument(
        "--quick", action="store_true", help="mhq with itself and aioquic, without crosstraffic"
    )
    group.add_argument("--list", action="store_true", help="list the cases and the peers")


def add_execution(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to run it")
    group.add_argument("--jobs", type=positive, metavar="N", help=f"cells at once; default: {JOBS}")
    group.add_argument("--seed", type=int, default=1, metavar="N", help="of the link's losses; default: 1")
    group.add_argument("--keep", action="store_true", help="keep files and captures of passed cells, too")


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def add_places(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where things are")
    release = REPOSITORY / ".build" / "release" / "mhq"
    group.add_argument(
        "--mhq", type=absolute, default=release, metavar="FILE", help="default: .build/release/mhq"
    )
    group.add_argument(
        "--prefix",
        type=absolute,
        default=default_prefix(),
        metavar="FOLDER",
        help="where install-peers.sh put the peers",
    )
    group.add_argument(
        "--out",
        type=absolute,
        default=REPOSITORY / "out" / "interop",
        metavar="FOLDER",
        help="default: out/interop",
    )
    group.add_argument("--json", type=absolute, metavar="FILE", help="write the results there as well")


def default_prefix() -> Path:
    return Path(os.environ.get("GODWIT_PEERS", REPOSITORY / ".build" / "peers"))


def absolute(text: str) -> Path:
    return Path(text).absolute()
