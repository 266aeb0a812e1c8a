"""Whether the simulator and real sockets tell the same: medians side by side, what is allowed between them."""

from dataclasses import dataclass

import numpy as np

from . import style
from .problems import MissingData
from .results import Results, is_cpu_bound
from .schema import LOSSES, ROUND_TRIPS
from .statistics import Interval, difference_of_medians, interval, measured

ALLOWED_SHARE, ALLOWED_MS = 0.10, 2.0
# Fewer values than these say too little for a verdict.
ENOUGH = 30


@dataclass(frozen=True)
class Sample:
    """Milliseconds of one quantity on one backend."""

    values: np.ndarray

    @property
    def median(self) -> float:
        return float(np.median(self.values))

    @property
    def interval(self) -> Interval:
        return interval(self.values, np.median)


@dataclass(frozen=True)
class Comparison:
    """One quantity on both backends."""

    policy: str
    backend: str
    item: str
    simulated: Sample
    real: Sample

    @property
    def allowed_ms(self) -> float:
        return max(ALLOWED_MS, ALLOWED_SHARE * abs(self.real.median))

    @property
    def difference(self) -> tuple[float, Interval]:
        """Real less simulated, in shares of what is allowed: no milliseconds, so nothing to mix."""
        middle, bounds = difference_of_medians(self.real.values, self.simulated.values)
        return middle / self.allowed_ms, Interval(bounds.low / self.allowed_ms, bounds.high / self.allowed_ms)

    @property
    def verdict(self) -> str:
        least = min(len(self.real.values), len(self.simulated.values))
        agrees = "agrees" if abs(self.difference[0]) <= 1 else "differs"
        return agrees if least >= ENOUGH else f"{agrees}, but n = {least} is under {ENOUGH}"


def compare(all_results: list[Results]) -> list[Comparison]:
    """Every quantity that both a simulated and a real set of one policy have."""
    simulated = {one.set.policy: one for one in all_results if one.set.is_virtual}
    found = []
    for real in all_results:
        if real.set.is_virtual or real.set.is_published or real.set.policy not in simulated:
            continue
        ours, theirs = quantities(simulated[real.set.policy]), quantities(real)
        for item in ours:
            if item in theirs:
                found.append(
                    Comparison(
                        real.set.policy, real.set.backend, item, Sample(ours[item]), Sample(theirs[item])
                    )
                )
    return found


def quantities(results: Results) -> dict[str, np.ndarray]:
    """Experiment 0 as it is, 1 as the excess over it, 3 as it is; by a name that both backends share."""
    found: dict[str, np.ndarray] = {}
    for loss in LOSSES:
        _try(
            lambda: found.update(
                {f"exp. 0, {style.LOSSES[loss].lower()}": results.plain_runs(loss)["service_ms"]}
            )
        )
        _try(lambda: found.update(_excesses(results, loss)))
    for round_trip in ROUND_TRIPS:
        _try(lambda: found.update(_notifications(results, round_trip)))
    return {item: values for item, series in found.items() if len(values := measured(series))}


def _try(collect) -> None:
    try:
        collect()
    except MissingData:
        return


def _excesses(results: Results, loss: str) -> dict:
    moves, plain = results.moves(loss, "exp1"), results.plain_ms(loss)
    return {
        f"exp. 1, {style.LOSSES[loss].lower()}, {style.protocol(name).label}": moves.loc[
            moves["protocol"] == name, "service_ms"
        ]
        - plain
        for name in style.in_order(moves["protocol"], style.PROTOCOLS)
    }


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


def _notifications(results: Results, round_trip: str) -> dict:
    frame = results.notifications(round_trip)
    return {
        f"exp. 3, {style.ROUND_TRIPS[round_trip]}, {style.protocol(name).label}, {_clients(clients)}": group[
            "notification_ms"
        ]
        for (name, clients), group in frame.groupby(["protocol", "clients"])
        # Virtual time costs no processor: Symmetric's time can only be had from a real backend.
        if not is_cpu_bound(name)
    }
