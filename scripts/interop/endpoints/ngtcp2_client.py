"""ngtcp2's example client behind the endpoint contract. It speaks HTTP/3 in every case."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from endpoints import contract as contracts
from endpoints.contract import EXIT_UNSUPPORTED, Contract, Request

KNOWN = frozenset(
    (
        "handshake transfer chacha20 retry resumption zerortt http3 http3-files http3-post multiconnect"
        " keyupdate ecn v2 versionnegotiation addresschange natrebinding"
    ).split()
)
CONNECTIONS_AT_ONCE = 10
# GnuTLS's way to say which cipher suite.
CHACHA20 = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305"
VERSIONS = ["--available-versions=0x6b3343cf,0x1", "--preferred-versions=0x6b3343cf,0x1"]
QUIETLY = ["-q", "--no-quic-dump", "--no-http-dump"]
OPTIONS = {
    "chacha20": [f"--ciphers={CHACHA20}"],
    "keyupdate": ["--key-update=10ms"],
    "v2": ["--version=0x1", *VERSIONS],
    "versionnegotiation": ["--version=0x1a2a3a4a", "--preferred-versions=v1", "--available-versions=v1"],
    "addresschange": ["--change-local-addr=300ms"],
    "natrebinding": ["--change-local-addr=300ms", "--nat-rebinding"],
    # Its probes for a larger datagram size would count as 1-RTT data.
    "zerortt": ["--no-pmtud"],
}


def fetch(contract: Contract, requests: list[Request], *options: str) -> None:
    """Its exit status is 0 even if a transfer failed, so that the files have to tell."""
    first = requests[0]
    authority = f"[{first.host}]" if ":" in first.host else first.host
    command = [os.environ["NGTCP2_CLIENT"], *QUIETLY, "--exit-on-all-streams-close"]
    command += [f"--download={contract.downloads}", *OPTIONS.get(contract.test_case, []), *options]
    urls = [f"https://{authority}:{first.port}{request.path}" for request in requests]
    subprocess.run([*command, first.host, str(first.port), *urls], check=True)


def post(contract: Contract) -> None:
    """One program run for each file, as it sends the same one for all its requests."""
    assert contract.uploads
    scratch = Path(tempfile.mkdtemp(prefix="ngtcp2-", dir=os.environ.get("SCRATCH")))
    for upload in sorted(contract.uploads.iterdir()):
        folder = scratch / upload.name
        folder.mkdir()
        echo = replace(contract, downloads=folder)
        fetch(echo, contract.requests, f"--data={upload}", "--http-method=POST")
        for response in folder.iterdir():
            response.rename(contract.downloads / upload.name)


def fetch_over_two(contract: Contract) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ngtcp2-", dir=os.environ.get("SCRATCH")))
    options = [f"--session-file={folder}/session", f"--tp-file={folder}/parameters"]
    fetch(contract, contract.requests[:1], *options, "--wait-for-ticket")
    if contract.test_case == "resumption":
        options.append("--disable-early-data")
    fetch(contract, contract.requests[1:], *options)


def fetch_over_many(contract: Contract) -> None:
    with ThreadPoolExecutor(CONNECTIONS_AT_ONCE) as executor:
        list(executor.map(lambda request: fetch(contract, [request]), contract.requests))


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    if contract.test_case == "http3-post":
        post(contract)
    elif contract.test_case == "multiconnect":
        fetch_over_many(contract)
    elif contract.test_case in ("resumption", "zerortt"):
        fetch_over_two(contract)
    else:
        fetch(contract, contract.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
