"""mhq behind the endpoint contract: `mhq serve` over HTTP/3, unless a case needs more than it offers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from capture.pcap import Address
from endpoints import contract as contracts
from endpoints.contract import HTTP3, Contract

# Only the runner's endpoint has what these need, and `http3` is for the endpoint itself.
FOR_ENDPOINT = frozenset({"http3", "v2", "connectionmigration"})
OPTIONS = {"retry": ["--retry"]}
# In seconds. Nothing is under way any more when a server is told to end.
GRACE = 1


def serve_arguments(listen: Address, root: Path, certificates: Path) -> list[str]:
    host, port = listen
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    chain, key = (str(certificates / name) for name in ("cert.pem", "priv.key"))
    arguments = ["serve", "--listen", authority, "--root", str(root), "--grace", str(GRACE)]
    return [*arguments, "--certificate", chain, "--private-key", key]


def logging_options(contract: Contract) -> list[str]:
    options = ["--key-log", str(contract.key_log)] if contract.key_log else []
    return options + (["--qlog", str(contract.qlog_folder)] if contract.qlog_folder else [])


def main() -> None:
    contract = contracts.from_environment()
    binary = os.environ["MHQ"]
    arguments = ["interop", "server"]
    if contract.protocol == HTTP3 and contract.test_case not in FOR_ENDPOINT:
        arguments = serve_arguments(contract.listen, contract.www, contract.certificates)
        arguments += logging_options(contract) + OPTIONS.get(contract.test_case, [])
    sys.stdout.flush()
    os.execv(binary, [binary, *arguments])


if __name__ == "__main__":
    main()
