"""Many clients of one server."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from capture.pcap import read
from harness.process import Child
from move import scenarios
from move.conversation import Conversation
from move.network import PLACES, PORT, MovingNetwork, Namespaces
from move.routed import RoutedNetwork, short_ways
from move.scenarios import Outcome, Stage, judge, scenario
from move.server import MoveFailed, MovingServer, address


@contextmanager
def crowd(
    stage: Stage, network: Namespaces, size: int, *arguments: str, pool: Sequence[str] = ()
) -> Iterator[tuple[MovingServer, list[Conversation]]]:
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
        yield server, clients


@scenario("barrier")
def barrier(stage: Stage) -> Outcome:
    spans = []
    network = RoutedNetwork(stage.folder, short_ways())
    with crowd(stage, network, 50) as (server, clients):
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


PATIENCE = 55.0


def some_dead(
    stage: Stage, network: Namespaces, size: int, dead: range, deadline: float, *arguments: str
) -> Outcome:
    """Those that are stopped hold nobody up beyond the deadline, and the others move."""
    with crowd(stage, network, size, *arguments) as (server, clients):
        # What is done for the first time takes a while, if 1,000 processes do it at once.
        answer = server.prepare("explicit", deadline=PATIENCE)
        if answer["ready"] != size:
            raise MoveFailed(f"while all are alive: {answer['summary']}")
        server.tell("cancel", epoch=answer["epoch"])
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
    return {"ready": len(alive), "deadline_ms": round(1000 * taken)}


@scenario("dead-clients")
def dead_clients(stage: Stage) -> Outcome:
    network = RoutedNetwork(stage.folder, short_ways())
    outcome = some_dead(stage, network, 30, range(10), 1.0)
    return {**outcome, **stage.check(network, 0, 1)}


@scenario("thousand-clients")
def thousand_clients(stage: Stage) -> Outcome:
    # Three descriptors for each.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # It takes a while until the last of them is there.
    patience = ["--body-timeout", "300", "--idle-timeout", "300"]
    # What speaks to all of them at once is too much for a program in between.
    network = MovingNetwork(is_limited=False)
    return some_dead(stage, network, 1000, range(50, 1000, 100), 10.0, *patience)


# Somebody else's address

VICTIM = 2
# What one client may send there in so many seconds (section 5.5.1).
DATAGRAMS, SIZE, WINDOW = 64, 1200, 60.0
CLIENTS = 100


@scenario("victim")
def victim(stage: Stage) -> Outcome:
    """A server sends its clients to somebody who has nothing to do with it, by all strategies, over and over."""
    pool = [address(VICTIM)]
    network = RoutedNetwork(stage.folder, short_ways())
    with crowd(stage, network, CLIENTS, pool=pool) as (server, clients), bystander(stage, network):
        for number, strategy in enumerate(("explicit", "combined", "pool") * 2):
            # What is told anew, and taken back in between, must not open the budget anew.
            server.prepare(strategy, to=3)
            epoch = server.prepare(strategy, to=VICTIM)["epoch"]
            # Silence has clients look for the server.
            network.cut(0)
            for client in clients:
                client.send(100)
            time.sleep(6 if number == 5 else 2)
            network.join(0)
            server.tell("cancel", epoch=epoch)
            time.sleep(0.5)
        for client in clients:
            client.wait()
            client.finish()
    return judge_victim(network.capture)


def judge_victim(capture: Path) -> Outcome:
    sent = [datagram for datagram in read(capture) if datagram.destination == (PLACES[VICTIM], PORT)]
    worst, most, start = 0, 0, 0
    recent: Counter[int] = Counter()
    size = 0
    for datagram in sent:
        while sent[start].time <= datagram.time - WINDOW:
            recent[sent[start].source[1]] -= 1
            size -= len(sent[start].payload)
            start += 1
        recent[datagram.source[1]] += 1
        size += len(datagram.payload)
        worst, most = max(worst, size), max(most, recent[datagram.source[1]])
    if most > DATAGRAMS or worst > CLIENTS * DATAGRAMS * SIZE:
        raise MoveFailed(f"{worst} bytes in a minute went to the victim, {most} datagrams of one client's")
    if len(recent) < CLIENTS:
        raise MoveFailed(f"{len(recent)} clients of {CLIENTS} looked for the server at the victim's address")
    budget = CLIENTS * DATAGRAMS * SIZE
    return {"sent_bytes": worst, "budget_bytes": budget, "most_of_one_client": most, "clients": len(recent)}


@contextmanager
def bystander(stage: Stage, network: RoutedNetwork) -> Iterator[None]:
    """Has the address, and says nothing, not even that nobody is there."""
    command = network.in_server([sys.executable, "-m", "move.bystander", PLACES[VICTIM], str(PORT)])
    with Child(command, {}, stage.folder / "bystander.log") as child:
        deadline = time.monotonic() + 10
        while not child.log.read_text():
            if time.monotonic() > deadline:
                raise MoveFailed(f"nobody is at the victim's address: {child.last_line()}")
            time.sleep(0.02)
        yield
