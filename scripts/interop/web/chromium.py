"""Runs Chromium without a window."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOST = "localhost"
PATIENCE = 90
OPTIONS = (
    "--headless=new",
    # It has nothing to protect: it loads our own page, and runs as root in containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but our server is ever looked up.
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class ChromiumFailed(Exception):
    """It ended without a page; the message has its last line."""


def find(prefix: Path) -> Path | None:
    system = shutil.which("chromium")
    own = prefix / "bin" / "chromium"
    return Path(system) if system else own if own.exists() else None


@dataclass(frozen=True)
class Visit:
    # The markup of the page when it was loaded.
    markup: str
    net_log: Path


def visit(binary: Path, port: int, path: str, certificate: Path, folder: Path, *, is_forced: bool) -> Visit:
    """`is_forced`: whether the browser begins with QUIC, without having heard of it by Alt-Svc."""
    folder.mkdir(parents=True)
    net_log = folder / "net-log.json"
    command = [str(binary), *OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={net_log}"]
    command.append(f"--ignore-certificate-errors-spki-list={key_hash(certificate)}")
    if is_forced:
        command.append(f"--origin-to-force-quic-on={HOST}:{port}")
    command += ["--dump-dom", f"https://{HOST}:{port}/{path}"]
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ChromiumFailed(f"no page within {PATIENCE} s") from None
    (folder / "output.log").write_text(result.stderr)
    (folder / "page.html").write_text(result.stdout)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines()
        raise ChromiumFailed(lines[-1] if lines else f"exit status {result.returncode}")
    shutil.rmtree(folder / "profile", ignore_errors=True)
    return Visit(result.stdout, net_log)


def key_hash(certificate: Path) -> str:
    """What the option wants: of the leaf's SubjectPublicKeyInfo."""
    leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
