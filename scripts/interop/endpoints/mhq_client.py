"""mhq behind the endpoint contract: `mhq get` over HTTP/3, unless a case needs more than it offers."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from endpoints import contract as contracts
from endpoints.contract import HTTP3, Contract
from endpoints.mhq_server import logging_options

# What anyone can do with the command.
FOR_GET = frozenset(
    ("handshake transfer retry ecn resumption zerortt multiconnect http3-files http3-post").split()
)
CONNECTIONS_AT_ONCE = 10
# In seconds: there are links that lose every third packet.
CONNECT_WITHIN = 60


class GetFailed(Exception):
    """The exit status; the command has said why."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def get(contract: Contract, *arguments: str) -> None:
    trust = ["--ca-file", str(contract.certificates / "ca.pem")]
    patience = ["--connect-timeout", str(CONNECT_WITHIN)]
    options = ["--fail", "--silent", *trust, *patience, *logging_options(contract)]
    command = [os.environ["MHQ"], "get", *options, *arguments]
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        raise GetFailed(status)


def targets(contract: Contract) -> list[list[str]]:
    """A URL and where to put it, for each request."""
    urls = os.environ.get("REQUESTS", "").split()
    names = [request.file_name for request in contract.requests]
    return [[url, "-o", str(contract.downloads / name)] for url, name in zip(urls, names, strict=True)]


def fetch(contract: Contract, wanted: list[list[str]], *options: str) -> None:
    """All at once, over one connection."""
    get(contract, f"--parallel={len(wanted)}", *options, *(word for target in wanted for word in target))


def fetch_over_two(contract: Contract) -> None:
    """Two runs, the second with what the first has kept."""
    session = ["--session", os.path.join(os.environ.get("SCRATCH", "."), "session")]
    if contract.test_case == "resumption":
        session.append("--no-early-data")
    first, *others = targets(contract)
    fetch(contract, [first], *session)
    fetch(contract, others, *session)


def fetch_over_many(contract: Contract) -> None:
    with ThreadPoolExecutor(CONNECTIONS_AT_ONCE) as executor:
        list(executor.map(lambda target: fetch(contract, [target]), targets(contract)))


def post(contract: Contract) -> None:
    assert contract.uploads
    url = os.environ.get("REQUESTS", "").split()[0]
    for upload in sorted(contract.uploads.iterdir()):
        get(contract, f"--data={upload}", url, "-o", str(contract.downloads / upload.name))


def run(contract: Contract) -> None:
    if contract.test_case == "http3-post":
        post(contract)
    elif contract.test_case == "multiconnect":
        fetch_over_many(contract)
    elif contract.test_case in ("resumption", "zerortt"):
        fetch_over_two(contract)
    else:
        fetch(contract, targets(contract))


def main() -> int:
    contract = contracts.from_environment()
    if contract.protocol != HTTP3 or contract.test_case not in FOR_GET:
        binary = os.environ["MHQ"]
        os.execv(binary, [binary, "interop", "client"])
    try:
        run(contract)
    except GetFailed as failure:
        return failure.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
