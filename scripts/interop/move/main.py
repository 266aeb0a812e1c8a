"""From the command line to the verdict."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness.network import NetworkFailed
from harness.options import EXIT_FAILED, EXIT_UNAVAILABLE, fail
from harness.process import Child
from move import identifiers, peers
from move.network import MovingNetwork
from move.options import PEERS, STRATEGIES
from move.server import MoveFailed, MovingServer
from move.traffic import EchoedTraffic

MOVES = 2
FREEZE = 0.4
Outcome = dict[str, object]


def main(options: argparse.Namespace) -> int:
    missing = [] if os.geteuid() == 0 else ["root"]
    missing += [tool for tool in ("ip",) if shutil.which(tool) is None]
    missing += [] if options.mhq.exists() else [f"mhq at {options.mhq}"]
    if missing:
        fail(EXIT_UNAVAILABLE, f"no {', no '.join(missing)}; skipped moves in namespaces")
    shutil.rmtree(options.out, ignore_errors=True)
    outcomes = [
        *(attempt(name, options, strategy_moves) for name in chosen(options.strategy, options.peer, STRATEGIES)),
        *(attempt(name, options, peer_stays) for name in chosen(options.peer, options.strategy, PEERS)),
    ]
    if options.json:
        print(json.dumps(outcomes, indent=1))
    for outcome in [] if options.json else outcomes:
        print("  ".join(f"{key} {value}" for key, value in outcome.items()))
    failures = [outcome for outcome in outcomes if outcome["problem"]]
    for outcome in failures:
        print(f"{outcome['name']}: {outcome['problem']}; what it left is in {options.out}", file=sys.stderr)
    return EXIT_FAILED if failures else 0


def chosen(names: list[str] | None, others: list[str] | None, every: tuple[str, ...]) -> list[str]:
    return names or ([] if others else list(every))


def attempt(
    name: str, options: argparse.Namespace, work: Callable[[str, argparse.Namespace, Path], Outcome]
) -> Outcome:
    folder: Path = options.out / name
    folder.mkdir(parents=True)
    try:
        return {"name": name, **work(name, options, folder), "problem": ""}
    except (MoveFailed, NetworkFailed) as reason:
        return {"name": name, "problem": str(reason)}


def strategy_moves(strategy: str, options: argparse.Namespace, folder: Path) -> Outcome:
    with MovingNetwork() as network:
        capture = folder / "client.pcap"
        command = network.in_client([sys.executable, "-m", "move.recorder", str(capture)])
        with Child(command, {}, folder / "recorder.log") as recorder:
            wait_until_ready(recorder)
            with MovingServer(options.mhq, network, folder, strategy == "pool") as server:
                traffic = EchoedTraffic(options.mhq, network, folder)
                try:
                    traffic.wait_for_progress()
                    for _ in range(MOVES):
                        server.move(strategy, FREEZE)
                        traffic.wait_for_progress()
                        network.join(1 - server.place)
                    size = traffic.finish()
                finally:
                    traffic.stop()
    found = identifiers.check(capture, traffic.key_log)
    return {"moves": MOVES, "bytes": size, "stall_ms": round(1000 * traffic.longest_gap), **found}


def wait_until_ready(recorder: Child) -> None:
    deadline = time.monotonic() + 10
    while not recorder.log.read_text():
        if not recorder.runs() or time.monotonic() > deadline:
            raise MoveFailed(f"nothing can be captured: {recorder.last_line()}")
        time.sleep(0.02)


def peer_stays(peer: str, options: argparse.Namespace, folder: Path) -> Outcome:
    with MovingNetwork() as network, MovingServer(options.mhq, network, folder, pool=True) as server:
        size = peers.stay_connected(peer, options.prefix, network, server, folder / "files")
    return {"bytes": size}
