"""The endpoint contract of README.md, read from the environment."""

from __future__ import annotations

import os
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from capture.pcap import Address

EXIT_UNSUPPORTED = 127
HQ_INTEROP, HTTP3 = "hq-interop", "h3"


@dataclass(frozen=True)
class Request:
    host: str
    port: int
    path: str

    @property
    def file_name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Contract:
    test_case: str
    # By ALPN.
    protocol: str
    requests: list[Request]
    www: Path
    # What a client posts.
    uploads: Path | None
    downloads: Path
    certificates: Path
    key_log: Path | None
    qlog_folder: Path | None
    listen: Address
    # Where a server listens besides, and the address it advertises for it.
    preferred_listen: Address | None
    preferred_address: Address | None


def parse_request(url: str) -> Request:
    parts = urllib.parse.urlsplit(url)
    return Request(parts.hostname or "", parts.port or 443, parts.path)


def parse_address(text: str | None) -> Address | None:
    """`127.0.0.1:443` or `[::1]:443`."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def optional_path(name: str) -> Path | None:
    return Path(os.environ[name]) if os.environ.get(name) else None


def from_environment() -> Contract:
    test_case = os.environ.get("TESTCASE", "")
    preferred_listen = parse_address(os.environ.get("PREFERRED_LISTEN"))
    return Contract(
        test_case=test_case,
        protocol=os.environ.get("PROTOCOL") or (HTTP3 if test_case == "http3" else HQ_INTEROP),
        requests=[parse_request(url) for url in os.environ.get("REQUESTS", "").split()],
        www=Path(os.environ.get("WWW", "/www")),
        uploads=optional_path("UPLOADS"),
        downloads=Path(os.environ.get("DOWNLOADS", "/downloads")),
        certificates=Path(os.environ.get("CERTS", "/certs")),
        key_log=optional_path("SSLKEYLOGFILE"),
        qlog_folder=optional_path("QLOGDIR"),
        listen=(os.environ.get("IP", "::"), int(os.environ.get("PORT", "443"))),
        preferred_listen=preferred_listen,
        preferred_address=parse_address(os.environ.get("PREFERRED_ADDRESS")) or preferred_listen,
    )
