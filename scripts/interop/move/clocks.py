"""A server that wakes up on a host whose clocks are others."""

from __future__ import annotations

import time
from datetime import datetime

from move.routed import RoutedNetwork, short_ways
from move.scenarios import STRATEGIES, Outcome, Stage, scenario, talking
from move.server import MoveFailed, MovingServer
from move.substitutes import DAY, Substitutes, missing

# In days: what the calendar's clock and the steady one are ahead after each move.
HOSTS = ((3, 0), (0, 0), (3, 3), (0, 0), (0, 3), (0, 0))
FREEZE = 0.2


@scenario("clock")
def clock(stage: Stage) -> Outcome:
    """At each thaw, one or both clocks of the server's process are three days ahead, or three days back."""
    if missing():
        return {"skipped": f"no {', '.join(missing())}"}
    outcome: Outcome = {}
    for strategy in STRATEGIES:
        scene = stage.scene(strategy)
        substitutes = Substitutes(scene.folder, "server")
        network = RoutedNetwork(scene.folder, short_ways())
        with talking(
            scene, network, pool=strategy == "pool", environment=substitutes.environment
        ) as (server, client):
            for calendar, steady in HOSTS:
                epoch = server.prepare_all(strategy)
                server.leave(epoch)
                time.sleep(FREEZE)
                substitutes.set_clocks(calendar * DAY, steady * DAY)
                server.arrive(epoch)
                taken = client.exchange()
                outcome.setdefault(f"{strategy}_ms", []).append(round(1000 * taken))  # type: ignore[attr-defined]
                expect_calendar(server, calendar)
                network.join(1 - server.place)
        scene.check(network, 0, 1)
    return outcome


def expect_calendar(server: MovingServer, days: int) -> None:
    """Without this, nobody would know whether the process sees other clocks at all."""
    text = server.last_line().split(maxsplit=1)[0]
    ahead = (datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp() - time.time()) / DAY
    if abs(ahead - days) > 0.01:
        raise MoveFailed(f"the server's clock is {ahead:.2f} days ahead, not {days}")
