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
    def least(self) -> int:
        return min(len(self.real.values), len(self.simulated.values))

    @property
    def agrees(self) -> bool:
        return abs(self.difference[0]) <= 1

    @property
    def verdict(self) -> str:
        word = "agrees" if self.agrees else "differs"
        return word if self.least >= ENOUGH else f"{word}, but n = {self.least} is under {ENOUGH}"


@dataclass(frozen=True)
class Alone:
    """A quantity that virtual time can't have, since it costs no processor."""

    policy: str
    backend: str
    item: str
    real: Sample
    verdict: str = "of the real backend alone: bound by the processor"


def compare(all_results: list[Results]) -> list[Comparison]:
    """Every quantity that both a simulated and a real set of one policy have."""
    found = []
    for simulated, real in pairs(all_results):
        ours, theirs = quantities(simulated), quantities(real)
        for item in ours:
            if item in theirs:
                found.append(
                    Comparison(
                        real.set.policy, real.set.backend, item, Sample(ours[item]), Sample(theirs[item])
                    )
                )
    return found


def pairs(all_results: list[Results]) -> list[tuple[Results, Results]]:
    """Every real set with the simulated one of its policy."""
    simulated = {one.set.policy: one for one in all_results if one.set.is_virtual}
    return [
        (simulated[real.set.policy], real)
        for real in all_results
        if not (real.set.is_virtual or real.set.is_published) and real.set.policy in simulated
    ]


def unpaired(all_results: list[Results]) -> list[Results]:
    """Real sets that nothing simulated stands beside."""
    simulated = {one.set.policy for one in all_results if one.set.is_virtual}
    return [
        one
        for one in all_results
        if not (one.set.is_virtual or one.set.is_published) and one.set.policy not in simulated
    ]


def alone(all_results: list[Results]) -> list[Alone]:
    """What only the real sets of `compare` can tell."""
    return [
        Alone(real.set.policy, real.set.backend, item, Sample(values))
        for _, real in pairs(all_results)
        for item, values in _processor_bound(real).items()
    ]


def missing(all_results: list[Results]) -> list[tuple[str, str, str]]:
    """Policy, backend and quantity of all that should be compared and can't, because one of a pair hasn't it."""
    found = []
    for simulated, real in pairs(all_results):
        policy, ours, theirs = simulated.set.policy, quantities(simulated), quantities(real)
        for family in FAMILIES:
            if not any(item.startswith(family) for item in ours):
                found.append((policy, simulated.set.backend, family))
            if not any(item.startswith(family) for item in theirs):
                found.append((policy, real.set.backend, family))
            else:
                absent = [item for item in ours if item.startswith(family) and item not in theirs]
                # Real servers can't be asked for it.
                absent = [item for item in absent if not item.endswith(style.protocol("combined").label)]
                found += [(policy, real.set.backend, item) for item in absent]
    return found


FAMILIES = (
    *(f"exp. {number}, {style.LOSSES[loss].lower()}" for number in (0, 1) for loss in LOSSES),
    *(f"exp. 3, {style.ROUND_TRIPS[round_trip]}" for round_trip in ROUND_TRIPS),
)


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
    # Virtual time costs no processor: Symmetric's time can only be had from a real backend.
    return {item: values for item, (name, values) in _cells(results, round_trip) if not is_cpu_bound(name)}


def _processor_bound(results: Results) -> dict[str, np.ndarray]:
    found: dict = {}

    def collect(round_trip: str) -> None:
        found.update(
            {item: values for item, (name, values) in _cells(results, round_trip) if is_cpu_bound(name)}
        )

    for round_trip in ROUND_TRIPS:
        _try(lambda: collect(round_trip))
    return {item: values for item, series in found.items() if len(values := measured(series))}


def _cells(results: Results, round_trip: str) -> list[tuple[str, tuple]]:
    frame = results.notifications(round_trip)
    return [
        (
            f"exp. 3, {style.ROUND_TRIPS[round_trip]}, {style.protocol(name).label}, {_clients(clients)}",
            (name, group["notification_ms"]),
        )
        for (name, clients), group in frame.groupby(["protocol", "clients"])
    ]
