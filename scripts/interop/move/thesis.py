"""Our application with one that behaves as the thesis's, in either role, as the thesis's experiments have them play."""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from harness.process import Child
from move.application import MANAGEMENT_PORT, NAMES, ApplicationServer, negotiation
from move.network import PLACES, PORT
from move.routed import RoutedNetwork, short_ways
from move.scenarios import Outcome, Stage, scenario
from move.server import MoveFailed, address

CONTAINER_PORT = 8080
NOTICE_AFTER, TRIGGER_AFTER, REQUESTS = 2, 3, 6
PATIENCE = 40.0
FREEZE = 0.4


def client_settings(strategy: str, key_log: str) -> dict[str, object]:
    names = {
        "reactive-explicit": "reactiveExplicit",
        "proactive-explicit": "proactiveExplicit",
        "pool": "poolOfAddresses",
        "symmetric": "symmetric",
        "synchronized-symmetric": "synchronizedSymmetric",
    }
    return {
        "serverHost": PLACES[0],
        "serverPort": PORT,
        "serverMigration": negotiation(strategy),
        "keyLogging": {"enable": True, "file": key_log},
        "requestPattern": {"sporadic": True, "sporadicInterval": 50},
        "requestBody": {"fixed": True, "fromDistribution": False},
        "experiment": {
            "id": 1,
            "serverManagementPort": MANAGEMENT_PORT,
            "containerMigrationScriptHost": PLACES[0],
            "containerMigrationScriptPort": CONTAINER_PORT,
            "serverMigrationProtocol": names[strategy],
            "serverMigrationHost": PLACES[1],
            "serverMigrationPort": PORT,
            "notifyImminentMigrationAfterRequest": NOTICE_AFTER,
            "triggerMigrationAfterRequest": TRIGGER_AFTER,
            "shutdownAfterRequest": REQUESTS,
        },
    }


def play(stage: Stage, *, server_policy: str, client_policy: str) -> Outcome:
    outcome: Outcome = {}
    # The thesis's program keeps the ids that it was given.
    ours = ["client"] if client_policy == "godwit" else ["server"]
    for strategy in NAMES:
        scene = stage.scene(strategy)
        network = RoutedNetwork(scene.folder, short_ways())
        pool = [address(1)] if strategy == "pool" else []
        with (
            network,
            ApplicationServer(scene.mhq, network, scene.folder, strategy, server_policy, pool) as server,
        ):
            outcome[f"{strategy}_ms"] = move_once(scene, network, server, strategy, client_policy)
        scene.check(network, 0, 1, senders=ours)
    return outcome


def move_once(
    scene: Stage, network: RoutedNetwork, server: ApplicationServer, strategy: str, policy: str
) -> float:
    """What the first request after the trigger took, the freeze included."""
    file = scene.folder / "client.json"
    file.write_text(json.dumps(client_settings(strategy, str(scene.folder / "keys")), indent=1))
    command = ["env", f"--chdir={scene.folder}", str(scene.mhq), "--mode=client", f"--config={file}",
               f"--policy={policy}", "--log-level=info"]  # fmt: skip
    script = network.in_server([sys.executable, "-m", "move.thesis"])
    with (
        Child(script, {}, scene.folder / "script.log") as container,
        Child(network.in_client(command), {}, scene.folder / "client.log") as client,
    ):
        deadline = time.monotonic() + PATIENCE
        while "migrate" not in container.log.read_text():
            if client.wait(0.02) is not None or time.monotonic() > deadline:
                raise MoveFailed(f"{strategy}: no move was asked for: {client.last_line()}")
        server.move(FREEZE, to=1)
        status = client.wait(PATIENCE)
        if status != 0:
            raise MoveFailed(f"{strategy}: the client ended with {status}: {client.last_line()}")
    file = scene.folder / "service_times.json"
    if not file.exists():
        raise MoveFailed(f"{strategy}: the connection was lost: {client.last_line()}")
    found: dict[str, list[object]] = json.loads(file.read_text())
    if found["serverAddresses"] != [address(1)]:
        raise MoveFailed(f"{strategy}: answered by {found['serverAddresses']}")
    return round(float(str(found["serviceTimes"][0])) / 1000)


@scenario("thesis-server")
def thesis_server(stage: Stage) -> Outcome:
    return play(stage, server_policy="thesis", client_policy="godwit")


@scenario("thesis-client")
def thesis_client(stage: Stage) -> Outcome:
    return play(stage, server_policy="godwit", client_policy="thesis")


def main() -> None:
    """The container's side: says `OK` to everything, and what it was told.

    Also to the command that ends the server, which the client sends to where the server has gone.
    """
    sockets = []
    for place, port in ((PLACES[0], CONTAINER_PORT), (PLACES[1], MANAGEMENT_PORT)):
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.bind((place, port))
        sockets.append(own)
    while True:
        readable, _, _ = select.select(sockets, [], [])
        for own in readable:
            text, sender = own.recvfrom(4096)
            own.sendto(b"OK", sender)
            print(text.decode(), flush=True)


if __name__ == "__main__":
    main()
