"""What experiment 1 has to show, policy by policy: each bound with what was found, and whether it holds."""

from dataclasses import dataclass

import numpy as np

from . import details, reference, style
from .problems import MissingData
from .results import Results
from .statistics import Summary, share_interval, summary

EXCESS = (
    "Excess: a run's service time of the first request after the move, less the median of experiment 0 of the same "
    "set (policy, backend) under the same loss. Means, medians and the 99th percentile (linear between the two nearest "
    "values) are of the excesses of all runs that were not lost; a run is lost when it has no service time."
)
TAIL = (
    "The round trip in the bound of godwit's tail is that of the destination, the shorter one. Its servers announce "
    "themselves after the thaw, so no pool here is silent and none is allowed a probe timeout of the old path."
)

EXPLICIT = ("proactiveExplicit", "reactiveExplicit")
AT_ONCE = ("symmetric", "proactiveExplicit")
POOLS_MS = {"poolOfAddresses1": 382.0, "poolOfAddresses2": 555.0, "poolOfAddresses3": 753.0}
OF_THE_THESIS = (*EXPLICIT, *POOLS_MS, "symmetric")
OF_OURS = (*OF_THE_THESIS, "synchronizedSymmetric")
# The management interface of real servers has no name for all strategies at once.
SIMULATED_ALONE = ("combined",)

AT_ONCE_MS = 2.0
REACTIVE_MS, REACTIVE_REACH_MS = 267.0, 15.0
POOL_REACH = 0.15
RUNG_REACH_MS = 40.0
EXPLICIT_LOSES, OTHERS_LOSE = (0.01, 0.05), 0.005
MEDIAN_MS = 2.0
# The destination's round trip in the plans of experiment 1.
ROUND_TRIP_MS, BEYOND_MS = 18.0, 50.0

# With fewer runs a figure is shown without a verdict.
ENOUGH_FOR_MEANS, ENOUGH_FOR_SHARES, ENOUGH_FOR_NONE = 100, 2000, 10_000


@dataclass(frozen=True)
class Verdict:
    """A bound, what was found, and whether it holds; None when there was too little to say."""

    about: str
    what: str
    allowed: str
    found: str
    holds: bool | None
    # What stands in place of a verdict.
    unjudged: str = "not judged"

    @property
    def word(self) -> str:
        return {True: "holds", False: "MISSED", None: self.unjudged}[self.holds]


def verdicts(results: Results) -> list[Verdict]:
    """All bounds of a set's policy."""
    if results.set.policy == "godwit":
        return ours(results) + [flaws(results)]
    return excesses(results) + losses(results) + [flaws(results)]


def excess(results: Results, loss: str, protocol: str) -> Summary:
    return summary(excess_values(results, loss, protocol))


def excess_values(results: Results, loss: str, protocol: str) -> np.ndarray:
    """Milliseconds, empty for a lost run."""
    moves = results.moves(loss, "exp1")
    return np.asarray(moves.loc[moves["protocol"] == protocol, "service_ms"] - results.plain_ms(loss))


def distance_from_ladder(excesses) -> float:
    """How far the value is that lies farthest from the nearest probe timeout of the thesis's client."""
    excesses = np.asarray(excesses, dtype=float)
    excesses = excesses[~np.isnan(excesses)]
    return float(np.abs(excesses[:, None] - np.array(reference.LADDER_MS)[None, :]).min(axis=1).max())


# Policy thesis


def excesses(results: Results) -> list[Verdict]:
    """Without loss: what each strategy costs beyond the plain time."""
    found = [_mean_within(results, name, None, AT_ONCE_MS) for name in AT_ONCE]
    found.append(_mean_within(results, "reactiveExplicit", REACTIVE_MS, REACTIVE_REACH_MS))
    for name, middle in POOLS_MS.items():
        found.append(_mean_within(results, name, middle, POOL_REACH * middle))
        found.append(_on_the_ladder(results, name))
    return found


def _mean_within(results: Results, name: str, middle: float | None, reach: float) -> Verdict:
    allowed = f"≤ {reach:g} ms" if middle is None else f"{middle:g} ± {reach:.4g} ms"
    about, what = _about(results, "nopacketloss"), f"{style.protocol(name).label}: mean excess"
    one = excess(results, "nopacketloss", name)
    if one.n == 0:
        return Verdict(about, what, allowed, "no values", False)
    off = one.mean if middle is None else abs(one.mean - middle)
    found = f"{one.mean:.2f} ms [{one.interval.low:.2f}, {one.interval.high:.2f}], n = {one.n:,}"
    return Verdict(about, what, allowed, found, _judged(off <= reach, one.n, ENOUGH_FOR_MEANS))


def _on_the_ladder(results: Results, name: str) -> Verdict:
    about, what = _about(results, "nopacketloss"), f"{style.protocol(name).label}: every value from its rung"
    values = excess_values(results, "nopacketloss", name)
    count = int((~np.isnan(values)).sum())
    if count == 0:
        return Verdict(about, what, f"≤ {RUNG_REACH_MS:g} ms", "no values", False)
    off = distance_from_ladder(values)
    holds = _judged(off <= RUNG_REACH_MS, count, ENOUGH_FOR_MEANS)
    return Verdict(about, what, f"≤ {RUNG_REACH_MS:g} ms", f"{off:.2f} ms at most, n = {count:,}", holds)


def losses(results: Results) -> list[Verdict]:
    """With loss: Explicit alone loses connections, since its notice is never repeated."""
    moves = results.moves("packetloss", "exp1")
    names = [*OF_THE_THESIS, *sorted(set(moves["protocol"]) - set(OF_THE_THESIS))]
    return [_share(results, name, moves.loc[moves["protocol"] == name, "failed"]) for name in names]


def _share(results: Results, name: str, failed) -> Verdict:
    lost, count = int(failed.sum()), len(failed)
    low, high = EXPLICIT_LOSES if name in EXPLICIT else (0.0, OTHERS_LOSE)
    allowed = f"{100 * low:g} to {100 * high:g} %" if name in EXPLICIT else f"< {100 * high:g} %"
    about, what = _about(results, "packetloss"), f"{style.protocol(name).label}: runs lost"
    if count == 0:
        return Verdict(about, what, allowed, "no runs", False)
    share, bounds = lost / count, share_interval(lost, count)
    within = low <= share <= high if name in EXPLICIT else share < high
    found = f"{lost} of {count:,}: {100 * share:.2f} % [{100 * bounds.low:.2f}, {100 * bounds.high:.2f}]"
    return Verdict(about, what, allowed, found, within if count >= ENOUGH_FOR_SHARES else None)


# Policy godwit


def ours(results: Results) -> list[Verdict]:
    """With and without loss: nobody waits for a probe timeout of the old path, and nobody is lost."""
    names = OF_OURS + (SIMULATED_ALONE if results.set.is_virtual else ())
    found = [
        verdict
        for loss in results.known_losses
        for name in names
        for verdict in _middle_and_tail(results, loss, name)
    ]
    return [*found, _none_lost(results)]


def _middle_and_tail(results: Results, loss: str, name: str) -> list[Verdict]:
    about, label = _about(results, loss), style.protocol(name).label
    one, most = excess(results, loss, name), ROUND_TRIP_MS + BEYOND_MS
    parts = [
        ("median excess", one.median, MEDIAN_MS, f"≤ {MEDIAN_MS:g} ms"),
        ("p99 of the excess", one.p99, most, f"≤ 1 RTT + {BEYOND_MS:g} ms = {most:g} ms"),
    ]
    return [
        Verdict(
            about,
            f"{label}: {what}",
            allowed,
            f"{value:.2f} ms, n = {one.n:,}" if one.n else "no values",
            _judged(value <= limit, one.n, ENOUGH_FOR_MEANS) if one.n else False,
        )
        for what, value, limit, allowed in parts
    ]


def _none_lost(results: Results) -> Verdict:
    runs = [results.moves(loss, "exp1")["failed"] for loss in results.known_losses]
    lost, count = sum(int(one.sum()) for one in runs), sum(len(one) for one in runs)
    holds = False if lost else True if count >= ENOUGH_FOR_NONE else None
    about = f"{results.set.label}, all losses"
    return Verdict(
        about, "all strategies: runs lost", f"0 of {ENOUGH_FOR_NONE:,}", f"{lost} of {count:,}", holds
    )


# Both


def flaws(results: Results) -> Verdict:
    """What every run looks after itself: a frozen server answers nothing, and no datagram reaches the old address."""
    what, allowed = "runs whose own checks failed", "0"
    try:
        frame = details.details(results)
    except MissingData as reason:
        return Verdict(results.set.label, what, allowed, str(reason), None)
    flawed = int(frame["flaws"].notna().sum())
    return Verdict(results.set.label, what, allowed, f"{flawed} of {len(frame):,}", flawed == 0)


def _about(results: Results, loss: str) -> str:
    return f"{results.set.label}, {style.LOSSES[loss].lower()}"


def _judged(within: bool, count: int, enough: int) -> bool | None:
    """Nothing is said of few values."""
    return bool(within) if count >= enough else None
