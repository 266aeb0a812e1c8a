"""What has to hold for real processes, whose packets a program delays, loses and translates between namespaces."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from move import identifiers
from move.application import ApplicationServer
from move.conversation import Conversation
from move.network import PLACES, PORT
from move.options import ALLOWANCE, STRATEGIES
from move.routed import RoutedNetwork, Way, short_ways, thesis_ways
from move.server import MoveFailed, MovingServer, address
from move.translation import KINDS

Outcome = dict[str, object]
# Between two probes in the first second (section 5.4.1).
PROBE_INTERVAL = 0.025


@dataclass
class Stage:
    """Where a scenario plays."""

    mhq: Path
    folder: Path

    def scene(self, name: str) -> Stage:
        folder = self.folder / name
        folder.mkdir(parents=True)
        return Stage(self.mhq, folder)

    def server(
        self,
        network: RoutedNetwork,
        *arguments: str,
        pool: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> MovingServer:
        return MovingServer(
            self.mhq, network, self.folder, pool_of(pool), arguments, environment=environment
        )

    def talk(self, network: RoutedNetwork, name: str = "client") -> Conversation:
        return Conversation(self.mhq, network, self.folder, name)

    def check(
        self, network: RoutedNetwork, *places: int, senders: Sequence[str] = identifiers.BOTH
    ) -> Outcome:
        """To be called when the network is gone, and its capture whole."""
        wanted = [PLACES[place] for place in places]
        return dict(identifiers.check(network.capture, self.folder / "keys", wanted, senders))


def pool_of(is_wanted: bool) -> list[str]:
    return [address(0), address(1)] if is_wanted else []


# As the command line has it.
allowance = ALLOWANCE
Scenario = Callable[[Stage], Outcome]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    def register(work: Scenario) -> Scenario:
        SCENARIOS[name] = work
        return work

    return register


@contextmanager
def talking(
    stage: Stage,
    network: RoutedNetwork,
    *arguments: str,
    pool: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[MovingServer, Conversation]]:
    """A server and a client that has had its first answer, and is idle."""
    with (
        network,
        stage.server(network, *arguments, pool=pool, environment=environment) as server,
        stage.talk(network) as client,
    ):
        client.exchange()
        yield server, client
        client.finish()


# The first request


def first_requests(stage: Stage, loss: float) -> Outcome:
    outcome: Outcome = {}
    for strategy in STRATEGIES:
        scene = stage.scene(strategy)
        network = RoutedNetwork(scene.folder, thesis_ways(loss))
        excesses = []
        with talking(scene, network, pool=strategy == "pool") as (server, client):
            chance = random.Random(strategy)
            for _ in range(6):
                server.move(strategy, chance.uniform(0.1, 1.0))
                time.sleep(chance.uniform(0, 0.5))
                round_trip = network.ways[server.place].round_trip
                excess = client.exchange() - round_trip
                excesses.append(excess - 1.5 * round_trip)
                outcome.setdefault(f"{strategy}_ms", []).append(round(1000 * excess))  # type: ignore[attr-defined]
                network.join(1 - server.place)
        scene.check(network, 0, 1)
        judge(f"{strategy}: the first request, over plain and 1.5 round trips", excesses, 2 * PROBE_INTERVAL)
    return outcome


def judge(what: str, figures: list[float], limit: float) -> None:
    """One that was lost may take its time; half of them may not."""
    middle = statistics.median(figures)
    if middle > limit + allowance:
        raise MoveFailed(f"{what}: {1000 * middle:.0f} ms at the median, not {1000 * limit:.0f}")


@scenario("first-request")
def first_request(stage: Stage) -> Outcome:
    return first_requests(stage, 0)


@scenario("first-request-lossy")
def first_request_lossy(stage: Stage) -> Outcome:
    return first_requests(stage, 0.03)


@scenario("silent-server")
def silent_server(stage: Stage) -> Outcome:
    """One that says nothing after the thaw, as the thesis's in Explicit and with a pool."""
    outcome: Outcome = {}
    elsewhere = [f"10.99.{number}.1:{PORT}" for number in (7, 8)]
    pools = {"explicit": [], "pool1": [address(1)], "pool2": [elsewhere[0], address(1)],
             "pool3": [*elsewhere, address(1)]}  # fmt: skip
    for name, pool in pools.items():
        scene = stage.scene(name)
        network = RoutedNetwork(scene.folder, thesis_ways())
        strategy = "pool" if pool else "reactive-explicit"
        with (
            network,
            ApplicationServer(scene.mhq, network, scene.folder, strategy, "thesis", pool) as server,
            scene.talk(network) as client,
        ):
            client.exchange()
            client.exchange()
            server.prepare()
            server.move(0.4)
            taken = client.exchange()
            client.finish()
        scene.check(network, 0, 1, senders=["client"])
        outcome[f"{name}_ms"] = round(1000 * taken)
        # A probe timeout of the old path is a round trip, four times its variation (at first half of it, less
        # with each of the few samples that there were), and the delay of acknowledgements.
        timeout = 3 * network.ways[0].round_trip + 0.025
        limit = timeout + network.ways[1].round_trip + max(0.05, taken / 4)
        judge(f"{name}: the first request to a silent server", [taken], limit)
    return outcome


# One way only

SIZE = 8_000_000


def one_way(stage: Stage, *arguments: str) -> tuple[RoutedNetwork, list[float], int]:
    """A transfer by a client that has no other reason to say or to hear anything.

    Returns when bytes came, in seconds after the thaw, and how many did.
    """
    network = RoutedNetwork(stage.folder, short_ways())
    with network, stage.server(network) as server:
        command = [str(stage.mhq), "get", "--insecure", "--silent", "--fail", "--output", "-",
                   "--key-log", str(stage.folder / "keys"), *arguments]  # fmt: skip
        arrivals: list[float] = []
        sizes: list[int] = []
        with subprocess.Popen(network.in_client(command), stdout=subprocess.PIPE) as client:
            reader = threading.Thread(target=read_all, args=(client, arrivals, sizes))
            try:
                reader.start()
                wait_until_ready(server)
                time.sleep(0.5)
                epoch = server.prepare_all("combined")
                server.leave(epoch)
                time.sleep(0.5)
                server.arrive(epoch)
                thawed = time.monotonic()
                status = client.wait(30)
                arrivals.append(time.monotonic())
            except subprocess.TimeoutExpired as error:
                raise MoveFailed("the transfer did not come to an end") from error
            finally:
                client.kill()
                reader.join()
    if status != 0:
        raise MoveFailed(f"the client ended with {status}")
    return network, [arrival - thawed for arrival in arrivals], sum(sizes)


def wait_until_ready(server: MovingServer) -> None:
    """The client has to have come, and its handshake to be over."""
    deadline = time.monotonic() + 15
    while True:
        answer = server.prepare("symmetric")
        server.tell("cancel", epoch=answer["epoch"])
        if answer["ready"]:
            return
        if time.monotonic() > deadline:
            raise MoveFailed(f"the client is not ready: {answer['summary']}")
        time.sleep(0.05)


def read_all(client: subprocess.Popen[bytes], arrivals: list[float], sizes: list[int]) -> None:
    assert client.stdout
    while piece := os.read(client.stdout.fileno(), 1 << 16):
        arrivals.append(time.monotonic())
        sizes.append(len(piece))


@scenario("download-only")
def download_only(stage: Stage) -> Outcome:
    network, arrivals, size = one_way(stage, f"https://{address(0)}/bytes/{SIZE}")
    if size != SIZE:
        raise MoveFailed(f"{size} bytes of {SIZE} came")
    first = min(arrival for arrival in arrivals if arrival > 0)
    judge("the first bytes after the thaw", [first], 2.5 * network.ways[1].round_trip + 2 * PROBE_INTERVAL)
    return {"first_ms": round(1000 * first), "bytes": size, **stage.check(network, 0, 1)}


@scenario("upload-only")
def upload_only(stage: Stage) -> Outcome:
    file = stage.folder / "content"
    file.write_bytes(bytes(SIZE))
    # What is posted there is read and answered with nothing.
    network, arrivals, _ = one_way(stage, "--data", str(file), f"https://{address(0)}/distribution")
    # All of it takes 2.1 s where nothing happens; had it to begin anew, it would take longer than this.
    judge("an upload of 2.1 s after half a second of it", [arrivals[-1]], 2.5)
    return {"rest_ms": round(1000 * arrivals[-1]), **stage.check(network, 0, 1)}


@scenario("keep-alive")
def keep_alive(stage: Stage) -> Outcome:
    """An idle client finds out by itself: its connection would end after 2 s of silence."""
    network = RoutedNetwork(stage.folder, short_ways())
    with talking(stage, network, "--idle-timeout", "2") as (server, client):
        server.move("combined", 0.5)
        time.sleep(5)
        if server.tell("status")["openConnections"] != 1:
            raise MoveFailed("the idle client is gone")
        taken = client.exchange()
        judge("a request after 5 s", [taken - network.ways[1].round_trip], PROBE_INTERVAL)
    return {"first_ms": round(1000 * taken), **stage.check(network, 0, 1)}


# Between client and server


def behind_each(
    stage: Stage, play: Callable[[RoutedNetwork, MovingServer, Conversation], float]
) -> Outcome:
    """What the play returns in seconds, for each kind of NAT that the client may be behind."""
    outcome: Outcome = {}
    for kind in KINDS:
        scene = stage.scene(kind)
        network = RoutedNetwork(scene.folder, short_ways(), translation=kind)
        with talking(scene, network) as (server, client):
            outcome[f"{kind}_ms"] = round(1000 * play(network, server, client))
        scene.check(network, 0, 1)
    return outcome


@scenario("nat")
def nat(stage: Stage) -> Outcome:
    def play(_: RoutedNetwork, server: MovingServer, client: Conversation) -> float:
        server.move("combined", 0.4)
        time.sleep(0.2)
        return client.exchange()

    return behind_each(stage, play)


@scenario("nat-symmetric")
def nat_symmetric(stage: Stage) -> Outcome:
    """What shows that the NAT is one: nothing that Symmetric's server says from its new place gets through."""
    outcome: Outcome = {}
    for kind in KINDS:
        network = RoutedNetwork(stage.scene(kind).folder, short_ways(), translation=kind)
        scene = Stage(stage.mhq, stage.folder / kind)
        with network, scene.server(network) as server, scene.talk(network) as client:
            client.exchange()
            server.move("symmetric", 0.3)
            try:
                client.exchange(patience=3)
                passed = True
            except MoveFailed:
                passed = False
            outcome[kind] = "passed" if passed else f"{network.counts()['refused']} refused"
        if passed != (kind == "endpoint-independent"):
            raise MoveFailed(f"{kind}: Symmetric {'passed' if passed else 'did not pass'}")
    return outcome


@scenario("slow-path")
def slow_path(stage: Stage) -> Outcome:
    outcome: Outcome = {}
    for strategy in ("explicit", "symmetric", "combined"):
        scene = stage.scene(strategy)
        ways = [short_ways()[0], Way(PLACES[1], 0.3, 10e6)]
        network = RoutedNetwork(scene.folder, ways)
        with talking(scene, network) as (server, client):
            server.move(strategy, 0.3)
            outcome[f"{strategy}_ms"] = round(1000 * client.exchange())
            outcome[f"{strategy}_next_ms"] = round(1000 * client.exchange())
        scene.check(network, 0, 1)
    return outcome


@scenario("spoofed")
def spoofed(stage: Stage) -> Outcome:
    """Whoever sees the server's packets sends copies of most of them from elsewhere, which get there first."""
    outcome: Outcome = {}
    for strategy in STRATEGIES:
        scene = stage.scene(strategy)
        network = RoutedNetwork(scene.folder, short_ways(), is_attacked=True)
        with talking(scene, network, pool=strategy == "pool") as (server, client):
            for _ in range(5):
                client.exchange(10_000)
            server.move(strategy, 0.3)
            for _ in range(5):
                client.exchange(10_000)
            counts = network.counts()
        scene.check(network, 0, 1, senders=["client"])
        # 64 probes of 1200 bytes (section 5.5). Data would be 100 KB.
        if counts["to_spoofed"] > 64 * 1228 or not counts["spoofed"]:
            raise MoveFailed(f"{strategy}: {counts} bytes went to the attacker")
        outcome[f"{strategy}_to_attacker"] = counts["to_spoofed"]
    return outcome


# What happens to plans


@scenario("many-moves")
def many_moves(stage: Stage) -> Outcome:
    network = RoutedNetwork(stage.folder, short_ways())
    moves = 20
    with talking(stage, network) as (server, client):
        for _ in range(moves):
            server.move("combined", 0.05)
            client.exchange()
            network.join(1 - server.place)
    found = stage.check(network, 0, 1)
    # One of each side for each path.
    if int(str(found["ids"])) < 2 * (moves + 1):
        raise MoveFailed(f"{found['ids']} connection ids are too few for {moves} moves")
    return {"moves": moves, **found}


@scenario("cancel-and-retarget")
def cancel_and_retarget(stage: Stage) -> Outcome:
    network = RoutedNetwork(stage.folder, short_ways())
    with talking(stage, network) as (server, client):
        # Called off before the hold.
        epoch = server.prepare_all("combined", to=1)
        server.tell("cancel", epoch=epoch)
        client.exchange()
        # Called off after it.
        epoch = server.prepare_all("combined", to=1)
        server.tell("hold", epoch=epoch, release=True)
        client.send()
        time.sleep(0.2)
        server.tell("cancel", epoch=epoch)
        client.wait()
        # Another place after all.
        server.prepare_all("combined", to=1)
        epoch = server.prepare_all("combined", to=2)
        server.leave(epoch)
        client.send()
        time.sleep(0.3)
        server.arrive(epoch, to=2)
        client.wait()
        # Held for one place, and it became another, of which nobody was told.
        epoch = server.prepare_all("combined", to=0)
        server.leave(epoch)
        time.sleep(0.2)
        network.join(0)
        server.arrive(epoch, to=1)
        taken = client.exchange()
    return {"untold_ms": round(1000 * taken), **stage.check(network, 0, 1, 2)}


@scenario("both-move")
def both_move(stage: Stage) -> Outcome:
    """The client gets another address, by a NAT that forgets it, while the server is on its way."""

    def play(network: RoutedNetwork, server: MovingServer, client: Conversation) -> float:
        epoch = server.prepare_all("combined")
        server.leave(epoch)
        network.forget()
        client.send()
        time.sleep(0.3)
        server.arrive(epoch)
        start = time.monotonic()
        client.wait()
        taken = time.monotonic() - start
        client.exchange()
        return taken

    return behind_each(stage, play)


@scenario("long-freeze")
def long_freeze(stage: Stage) -> Outcome:
    """Longer than the connection may be idle."""
    outcome: Outcome = {}
    for strategy in ("explicit", "synchronized-symmetric", "combined"):
        scene = stage.scene(strategy)
        network = RoutedNetwork(scene.folder, short_ways())
        with talking(scene, network, "--idle-timeout", "1") as (server, client):
            server.move(strategy, 4)
            outcome[f"{strategy}_ms"] = round(1000 * client.exchange())
        scene.check(network, 0, 1)
    return outcome


@scenario("stranger")
def stranger(stage: Stage) -> Outcome:
    """Another server at the address that was left answers what it does not know with resets."""
    network = RoutedNetwork(stage.folder, short_ways())
    with talking(stage, network) as (server, client):
        epoch = server.prepare_all("combined")
        server.leave(epoch)
        network.join(0)
        with MovingServer(stage.mhq, network, stage.scene("other").folder):
            client.send()
            time.sleep(1)
            server.arrive(epoch, to=1)
            start = time.monotonic()
            client.wait()
            taken = time.monotonic() - start
            client.exchange()
    return {"first_ms": round(1000 * taken), **stage.check(network, 0, 1)}
