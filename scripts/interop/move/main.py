"""From the command line to the verdict."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.network import NetworkFailed
from harness.options import EXIT_FAILED, EXIT_UNAVAILABLE, fail
from harness.process import Child
from move import clocks, copies, crowds, identifiers, peers, scenarios, thesis  # noqa: F401
from move.network import PLACES, MovingNetwork
from move.options import PEERS, SCENARIOS, STRATEGIES
from move.routed import RoutedNetwork, short_ways
from move.scenarios import pool_of
from move.server import MoveFailed, MovingServer
from move.traffic import EchoedTraffic

MOVES = 2
FREEZE = 0.4
Outcome = dict[str, object]


def main(options: argparse.Namespace) -> int:
    missing = [] if os.geteuid() == 0 else ["root"]
    missing += [tool for tool in ("ip",) if shutil.which(tool) is None]
    missing += [] if os.access("/dev/net/tun", os.R_OK | os.W_OK) else ["/dev/net/tun"]
    missing += [] if options.mhq.exists() else [f"mhq at {options.mhq}"]
    if missing:
        fail(EXIT_UNAVAILABLE, f"no {', no '.join(missing)}; skipped moves in namespaces")
    shutil.rmtree(options.out, ignore_errors=True)
    scenarios.allowance = options.allowance
    todo = [(name, work) for names, work in chosen(options) for name in names]
    outcomes: list[Outcome] = []
    for number, (name, work) in enumerate(todo, 1):
        if sys.stderr.isatty():
            print(f"\r\033[K{number}/{len(todo)} {name}", end="", file=sys.stderr, flush=True)
        outcome = attempt(name, options, work)
        outcomes.append(outcome)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        if not options.json:
            print("  ".join(f"{key} {value}" for key, value in outcome.items()), flush=True)
    if options.json:
        print(json.dumps(outcomes, indent=1))
    failures = [outcome for outcome in outcomes if outcome["problem"]]
    for outcome in failures:
        print(f"{outcome['name']}: {outcome['problem']}; what it left is in {options.out}", file=sys.stderr)
    return EXIT_FAILED if failures else 0


Work = Callable[[str, argparse.Namespace, Path], Outcome]


def chosen(options: argparse.Namespace) -> list[tuple[Sequence[str], Work]]:
    """All of it, unless something is named."""
    wanted = [options.strategy, options.peer, options.scenario]
    every: list[Sequence[str]] = [STRATEGIES, PEERS, SCENARIOS] if not any(wanted) else [(), (), ()]
    works: list[Work] = [strategy_moves, peer_stays, scenario_plays]
    return [(names or default, work) for names, default, work in zip(wanted, every, works, strict=True)]


def attempt(name: str, options: argparse.Namespace, work: Work) -> Outcome:
    folder: Path = options.out / name
    folder.mkdir(parents=True)
    try:
        return {"name": name, **work(name, options, folder), "problem": ""}
    except (MoveFailed, NetworkFailed) as reason:
        return {"name": name, "problem": str(reason)}


def strategy_moves(strategy: str, options: argparse.Namespace, folder: Path) -> Outcome:
    with MovingNetwork() as network:
        with recording(network, folder) as capture:
            with MovingServer(options.mhq, network, folder, pool_of(strategy == "pool")) as server:
                traffic = EchoedTraffic(options.mhq, network, folder)
                try:
                    traffic.wait_for_progress()
                    for _ in range(MOVES):
                        server.move_by_program(strategy, FREEZE)
                        traffic.wait_for_progress()
                        network.join(1 - server.place)
                    size = traffic.finish()
                finally:
                    traffic.stop()
    found = identifiers.check(capture, traffic.key_log, PLACES[:2])
    return {"moves": MOVES, "bytes": size, "stall_ms": round(1000 * traffic.longest_gap), **found}


@contextmanager
def recording(network: MovingNetwork, folder: Path) -> Iterator[Path]:
    """What the client sees, in a capture that is whole afterwards."""
    capture = folder / "client.pcap"
    command = network.in_client([sys.executable, "-m", "move.recorder", str(capture)])
    with Child(command, {}, folder / "recorder.log") as recorder:
        wait_until_ready(recorder)
        yield capture


def wait_until_ready(recorder: Child) -> None:
    deadline = time.monotonic() + 10
    while not recorder.log.read_text():
        if not recorder.runs() or time.monotonic() > deadline:
            raise MoveFailed(f"nothing can be captured: {recorder.last_line()}")
        time.sleep(0.02)


def peer_stays(peer: str, options: argparse.Namespace, folder: Path) -> Outcome:
    with MovingNetwork() as network, MovingServer(options.mhq, network, folder, pool_of(True)) as server:
        size = peers.stay_connected(peer, options.prefix, network, server, folder / "files")
    if size == -1:
        return {"bytes": size}
    folder = folder / "told"
    folder.mkdir()
    key_log = folder / "keys"
    # Not between devices that hand whole trains to each other: tshark wants datagrams.
    network = RoutedNetwork(folder, short_ways())
    arguments = ["--key-log", str(key_log)]
    with network, MovingServer(options.mhq, network, folder, pool_of(True), arguments) as server:
        taken = peers.leave_when_told(peer, options.prefix, network, server, folder / "files")
    if shutil.which("tshark"):
        has_goaway, has_close = peers.last_words(network.capture, key_log)
        if not has_goaway or not has_close:
            raise MoveFailed(f"{peer} was told: GOAWAY {has_goaway}, CONNECTION_CLOSE {has_close}")
    return {"bytes": size, "told": round(1000 * taken)}


def scenario_plays(name: str, options: argparse.Namespace, folder: Path) -> Outcome:
    return scenarios.SCENARIOS[name](scenarios.Stage(options.mhq, folder))
