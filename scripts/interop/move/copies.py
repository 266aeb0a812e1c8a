"""A second process with the server's keys at the address that the server has left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capture.pcap import read
from move.conversation import Conversation
from move.network import PLACES
from move.options import STRATEGIES
from move.routed import RoutedNetwork, short_ways
from move.scenarios import Outcome, Stage, pool_of, scenario
from move.server import MoveFailed, MovingServer
from move.substitutes import DAY, Substitutes, missing

SEED = 20
# How long after a move a server itself must not send one (section 6.7).
SILENCE = 30


@scenario("same-secret")
def same_secret(stage: Stage) -> Outcome:
    """One that takes connections for its own of old resets them, and ends no connection of a server that moves."""
    if missing():
        return {"skipped": f"no {', '.join(missing())}"}
    outcome: Outcome = {"control": reset_without_move(stage.scene("control"))}
    # It leaves alone what was there before it. An id that was issued since may be its own for all it knows, and a client
    # that has just been given one may use it towards the old address before it goes.
    outcome["careful"] = resets_survived(stage, "combined", "careful", 2)
    for strategy in STRATEGIES:
        seconds = SILENCE + 1 if strategy == "combined" else 1
        outcome[strategy] = resets = resets_survived(stage, strategy, "careless", seconds)
        if not resets:
            raise MoveFailed(f"{strategy}: no reset came that could have ended anything")
    return outcome


def first(stage: Stage, network: RoutedNetwork, strategy: str = "") -> MovingServer:
    own = Substitutes(stage.folder, "first", SEED)
    return stage.server(network, pool=strategy == "pool", environment=own.environment)


@contextmanager
def second(stage: Stage, network: RoutedNetwork, manner: str) -> Iterator[MovingServer]:
    """With the same keys. A careless one has a clock by which it is older than any connection."""
    own = Substitutes(stage.folder, "second", SEED)
    if manner == "careless":
        own.set_clocks(-3 * DAY)
    folder = stage.folder / "second"
    folder.mkdir()
    with MovingServer(stage.mhq, network, folder, environment=own.environment) as server:
        yield server


def reset_without_move(stage: Stage) -> str:
    """Shows that the resets are real: whoever was told of no move takes the first one for the end."""
    network = RoutedNetwork(stage.folder, short_ways())
    with network, first(stage, network) as server, stage.talk(network) as client:
        client.exchange()
        server.kill()
        with second(stage, network, "careless"):
            try:
                client.exchange(patience=5)
            except MoveFailed as reason:
                if "has lost the connection" not in str(reason):
                    raise MoveFailed(f"without a move: {reason}") from reason
                return "reset"
    raise MoveFailed("a client that was told of no move survived the reset")


def resets_survived(stage: Stage, strategy: str, manner: str, seconds: int) -> int:
    """How many answers came from the address that was left."""
    stage = stage.scene(f"{strategy}-{manner}")
    network = RoutedNetwork(stage.folder, short_ways())
    with network, first(stage, network, strategy) as server, stage.talk(network) as client:
        client.exchange()
        epoch = server.prepare_all(strategy)
        server.leave(epoch)
        network.join(0)
        with second(stage, network, manner):
            begin = time.time()
            client.send()
            time.sleep(0.7)
            server.arrive(epoch)
            client.wait()
            for _ in range(seconds):
                # As if something of the client's had been on its way for long.
                network.replay(0)
                time.sleep(0.9)
                client.exchange()
        client.finish()
    stage.check(network, 0, 1)
    return answers(network.capture, begin)


def answers(capture: Path, begin: float) -> int:
    return sum(1 for datagram in read(capture) if datagram.source[0] == PLACES[0] and datagram.time > begin)
