"""Many clients of one server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from move import scenarios
from move.conversation import Conversation
from move.routed import RoutedNetwork, short_ways
from move.scenarios import Outcome, Stage, judge, scenario
from move.server import MoveFailed, MovingServer


@contextmanager
def crowd(
    stage: Stage, size: int, *arguments: str, pool: Sequence[str] = ()
) -> Iterator[tuple[RoutedNetwork, MovingServer, list[Conversation]]]:
    network = RoutedNetwork(stage.folder, short_ways())
    with network, ExitStack() as stack:
        server = MovingServer(stage.mhq, network, stage.folder, pool, ["--loops", "4", *arguments])
        stack.enter_context(server)
        clients = []
        for number in range(size):
            clients.append(stack.enter_context(stage.talk(network, f"client{number}")))
            if number % 10 == 9:
                # Not all at once: a handshake has its time limit.
                for client in clients[-10:]:
                    client.exchange()
        yield network, server, clients


@scenario("barrier")
def barrier(stage: Stage) -> Outcome:
    spans = []
    with crowd(stage, 50) as (network, server, clients):
        for _ in range(11):
            answer = server.prepare("explicit")
            if answer["ready"] != 50 or answer["connections"] != 50:
                raise MoveFailed(f"not every client is ready: {answer['summary']}")
            spans.append(float(str(answer["seconds"])))
            server.tell("cancel", epoch=answer["epoch"])
        server.move("explicit", 0.3)
        for client in clients:
            client.exchange()
            client.finish()
    found = stage.check(network, 0, 1)
    judge("50 clients are ready", [span - network.ways[0].round_trip for span in spans], 0.01)
    return {"ready_ms": round(1000 * statistics.median(spans), 1),
            "round_trip_ms": round(1000 * network.ways[0].round_trip), **found}  # fmt: skip


def some_dead(
    stage: Stage, size: int, dead: range, deadline: float, *arguments: str
) -> Outcome:
    """Those that are stopped hold nobody up beyond the deadline, and the others move."""
    with crowd(stage, size, *arguments) as (network, server, clients):
        for number in dead:
            clients[number].freeze()
        alive = [client for number, client in enumerate(clients) if number not in dead]
        answer = server.prepare("explicit", deadline=deadline)
        taken = float(str(answer["seconds"]))
        wanted = f"{len(alive)} ready, {len(dead)} timed out"
        if answer["summary"] != wanted or not deadline <= taken < deadline + 3 * scenarios.allowance:
            raise MoveFailed(f"after {taken} s of {deadline} s: {answer['summary']}")
        epoch = int(str(answer["epoch"]))
        server.leave(epoch)
        time.sleep(0.3)
        server.arrive(epoch)
        for client in alive:
            client.exchange()
            client.finish()
    found = stage.check(network, 0, 1)
    return {"ready": len(alive), "deadline_ms": round(1000 * taken), **found}


@scenario("dead-clients")
def dead_clients(stage: Stage) -> Outcome:
    return some_dead(stage, 30, range(10), 1.0)
