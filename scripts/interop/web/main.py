"""From the command line to the verdict."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from pathlib import Path

from harness.certificates import write_chain
from harness.network import free_port
from harness.options import EXIT_FAILED, EXIT_UNAVAILABLE, fail
from harness.probe import wait_until_ready
from harness.process import Child
from peers.mhq import commands
from web import chromium, netlog, servers
from web.chromium import ChromiumFailed
from web.page import COMPLETE, PAGE, write_page

READY_WITHIN = 10.0


class VisitFailed(Exception):
    """The page did not come as it had to."""


def main(options: argparse.Namespace) -> int:
    binary = chromium.find(options.prefix)
    if binary is None:
        fail(EXIT_UNAVAILABLE, "no Chromium (scripts/install-peers.sh chromium); skipped the browser's visit")
    folder: Path = options.out
    shutil.rmtree(folder, ignore_errors=True)
    paths = write_page(folder / "www")
    write_chain(folder / "certs")
    try:
        for line in visits(options, binary, paths):
            print(line)
    except (VisitFailed, ChromiumFailed) as reason:
        print(f"browser: {reason}; what it left is in {folder}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def visits(options: argparse.Namespace, binary: Path, paths: set[str]) -> list[str]:
    folder: Path = options.out
    port = free_port(servers.HOST)
    with Child(server_command(options, port), {}, folder / "server.log") as server:
        if not wait_until_ready((servers.HOST, port), READY_WITHIN, server.runs):
            raise VisitFailed(f"the server does not answer: {server.last_line()}")
        certificate = folder / "certs" / "cert.pem"
        forced = chromium.visit(binary, port, PAGE, certificate, folder / "forced", is_forced=True)
        found = chromium.visit(binary, port, PAGE, certificate, folder / "found", is_forced=False)
        status = server.stop()
    if options.server == "mhq" and status != 0:
        raise VisitFailed(f"mhq serve ended with {status} after SIGTERM: {server.last_line()}")
    return [judge_forced(forced, paths), judge_found(found, port)]


def server_command(options: argparse.Namespace, port: int) -> list[str]:
    if options.server == "nginx":
        nginx: Path = options.prefix / "bin" / "nginx"
        if not nginx.exists():
            fail(EXIT_UNAVAILABLE, "no nginx (scripts/install-peers.sh nginx); skipped the browser's visit")
        return servers.nginx_command(nginx, port, options.out)
    mhq: Path = options.mhq
    if not mhq.exists() or "serve" not in commands(mhq):
        what = "has no serve yet" if mhq.exists() else f"is not at {mhq}"
        fail(EXIT_UNAVAILABLE, f"mhq {what}; skipped the browser's visit")
    return servers.mhq_command(mhq, port, options.out)


def judge_forced(visit: chromium.Visit, paths: set[str]) -> str:
    """Everything has to come over HTTP/3, once, and over one connection."""
    log = netlog.read(visit.net_log)
    received = Counter(log.received())
    missing = sorted(paths - set(received))
    if missing:
        raise VisitFailed(f"{len(missing)} of {len(paths)} did not come over HTTP/3, such as {missing[:3]}")
    if repeated := [path for path, count in received.items() if count > 1 and path in paths]:
        raise VisitFailed(f"{len(repeated)} came more than once, such as {repeated[:3]}")
    if log.sessions != 1:
        raise VisitFailed(f"the page took {log.sessions} connections")
    check_markup(visit)
    return f"{len(paths)} of {len(paths)} responses over HTTP/3 on one connection"


def judge_found(visit: chromium.Visit, port: int) -> str:
    """The page comes over TCP, and tells of HTTP/3.

    That it is used cannot be asked for: where QUIC is not forced, Chromium trusts public authorities only.
    """
    check_markup(visit)
    alternatives = netlog.read(visit.net_log).alternatives
    if f"quic {chromium.HOST}:{port}" not in alternatives:
        raise VisitFailed(f"Alt-Svc did not lead the browser to HTTP/3, but to {sorted(alternatives)}")
    return "the page over TCP, with an Alt-Svc that the browser followed"


def check_markup(visit: chromium.Visit) -> None:
    if COMPLETE not in visit.markup:
        raise VisitFailed(f"the page is not complete: {visit.markup[:80].strip()!r}")
