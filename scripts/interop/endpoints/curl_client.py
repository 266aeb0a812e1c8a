"""curl behind the endpoint contract. It speaks HTTP/3 in every case."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from endpoints import contract as contracts
from endpoints.contract import EXIT_UNSUPPORTED, Contract

KNOWN = frozenset("handshake transfer chacha20 retry http3 http3-files http3-post multiconnect".split())
QUIETLY = ["--silent", "--show-error", "--fail"]
# What it says of each transfer: the version of HTTP and the status.
REPORT = "%{http_version} %{response_code}\\n"
EXPECTED = "3 200"
OPTIONS = {"chacha20": ["--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"]}


class CurlFailed(Exception):
    """Its own words, or what it reported of a transfer."""


def run_curl(transfers: list[list[str]]) -> None:
    """One transfer after the other, over one connection if they allow it."""
    command = [os.environ["CURL"]]
    for number, transfer in enumerate(transfers):
        command += ["--next", *transfer] if number else transfer
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise CurlFailed(result.stderr.strip() or f"exit status {result.returncode}")
    reports = result.stdout.splitlines()
    if reports != [EXPECTED] * len(transfers):
        raise CurlFailed(f"{len(transfers)} transfers over HTTP/3 expected, curl reports {reports}")


def transfer(contract: Contract, url: str, target: Path, *options: str) -> list[str]:
    trust = ["--cacert", str(contract.certificates / "ca.pem")]
    report = ["--http3-only", "--write-out", REPORT, *OPTIONS.get(contract.test_case, [])]
    return [*QUIETLY, *trust, *report, *options, "--output", str(target), url]


def transfers(contract: Contract) -> list[list[str]]:
    urls = os.environ.get("REQUESTS", "").split()
    if contract.uploads:
        return [
            transfer(contract, urls[0], contract.downloads / upload.name, "--data-binary", f"@{upload}")
            for upload in sorted(contract.uploads.iterdir())
        ]
    names = [request.file_name for request in contract.requests]
    return [transfer(contract, url, contract.downloads / name) for url, name in zip(urls, names, strict=True)]


def main() -> int:
    contract = contracts.from_environment()
    if contract.test_case not in KNOWN:
        return EXIT_UNSUPPORTED
    groups = [transfers(contract)]
    if contract.test_case == "multiconnect":
        groups = [[single] for single in groups[0]]
    try:
        for group in groups:
            run_curl(group)
    except CurlFailed as reason:
        print(f"curl: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
