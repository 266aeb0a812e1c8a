"""The runs on real sockets by which the simulator is judged, and the same runs in virtual time."""

from collections.abc import Iterable
from pathlib import Path

from ..agreement import ENOUGH
from .runs import Order, Program, say

REAL_BACKENDS = ("loopback", "namespaces")
# Requests every 500 ms are those of the quick plans; so are 1 and 10 clients of experiment 3.
EXPERIMENTS = (0, 1, 3)
# About, on two cores, as `mhq experiment run` says before it starts.
MINUTES = {0: 1, 1: 10, 3: 13}
MINUTES_OF_ALL_CLIENTS = 102


def orders(
    policies: Iterable[str], backends: Iterable[str], repetitions: int, all_clients: bool
) -> list[Order]:
    """What virtual time can have comes first: it takes seconds."""
    return [
        Order(experiment, policy, backend, not (all_clients and experiment == 3), repetitions)
        for backend in ("simulated", *backends)
        for policy in policies
        for experiment in EXPERIMENTS
    ]


def minutes(order: Order) -> float:
    if order.backend == "simulated":
        return 0
    whole = MINUTES[order.experiment] if order.quick else MINUTES_OF_ALL_CLIENTS
    return whole * (order.repetitions or ENOUGH) / ENOUGH


def recipe(all_orders: list[Order], program: str, out: Path) -> list[str]:
    """Each call with its duration, as one would type it."""
    lines = []
    for order in all_orders:
        span = minutes(order)
        note = f"about {span:.0f} min" if span else "seconds"
        lines.append(f"{program} {' '.join(order.arguments(str(out)))}   # {note}")
    total = sum(minutes(order) for order in all_orders)
    return [*lines, f"# together about {total / 60:.1f} h"]


def run(program: Program, all_orders: list[Order], out: Path) -> None:
    """One after the other. What is there already stays: after an interruption the same call goes on."""
    left = sum(minutes(order) for order in all_orders)
    for number, order in enumerate(all_orders, 1):
        say(f"[{number}/{len(all_orders)}] about {left / 60:.1f} h left, if nothing is done yet")
        program.run(order, out)
        left -= minutes(order)
