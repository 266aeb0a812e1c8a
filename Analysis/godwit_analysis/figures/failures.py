"""Who lost a connection: the share of failed runs, with the interval that zero of a hundred has too."""

from .. import style
from ..crowd import crowd
from ..problems import MissingData
from ..results import Results
from ..schema import LOSSES, ROUND_TRIPS
from ..statistics import share_interval
from .plan import Drawn, Plan

FAMILY = "Failures"
TEXT = (
    "Runs without the service time they were made for (experiments 1 and 2) and clients whose connection timed out or "
    "that never heard from the new address (experiment 4), with Wilson's 95 % interval."
)


def catalogue(results: Results) -> list[Plan]:
    return [Plan("failures", FAMILY, "Failed runs by strategy", TEXT, _draw)]


def failed_by_strategy(results: Results, loss: str) -> dict[str, dict[str, tuple[int, int]]]:
    """Experiment → strategy → (failed, all)."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for experiment in ("exp1", "exp2"):
        try:
            groups = results.moves(loss, experiment).groupby("protocol")["failed"]
        except MissingData:
            continue
        found[experiment] = {name: (int(group.sum()), len(group)) for name, group in groups}
    for round_trip in ROUND_TRIPS:
        try:
            clients = crowd(results, loss, round_trip).clients
        except MissingData:
            continue
        for client in clients:
            counts = found.setdefault("exp4", {})
            failed, total = counts.get(client.protocol, (0, 0))
            lost = client.affected_ms != client.affected_ms
            counts[client.protocol] = (failed + lost, total + 1)
    return found


MARKS = {"exp1": ("Experiment 1", "o"), "exp2": ("Experiment 2", "s"), "exp4": ("Experiment 4", "^")}


def _draw(results: Results) -> Drawn:
    found = {loss: failed_by_strategy(results, loss) for loss in LOSSES}
    found = {loss: one for loss, one in found.items() if one}
    if not found:
        raise MissingData("no runs of experiments 1, 2 or 4")
    names = style.in_order(
        {name for one in found.values() for group in one.values() for name in group}, style.PROTOCOLS
    )
    # The thesis calls a pool of three by two names.
    labels = list(dict.fromkeys(style.protocol(name).label for name in names))
    figure, axes = style.blank(0.36 * len(labels) + 1.5, 1, len(found), sharey=True, squeeze=False)
    numbers, highest = [], 0.0
    for axis, (loss, one) in zip(axes[0], found.items()):
        for place, (experiment, groups) in enumerate(one.items()):
            highest = max(highest, _points(axis, place, len(one), experiment, groups, labels))
            numbers += [total for _, total in groups.values()]
        axis.set_title(style.LOSSES[loss], loc="left", fontweight="bold")
        axis.set_xlabel("Failed (%)")
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(axis="y", visible=False)
        for place in range(1, len(labels)):
            axis.axhline(place - 0.5, color="#DDDDDD", linewidth=0.6)
    for axis in axes[0]:
        axis.set_xlim(-0.02 * highest, highest * 1.25)
    handles = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
    text = (
        f"n = {min(numbers):,} to {max(numbers):,} a point"
        if min(numbers) != max(numbers)
        else f"n = {numbers[0]:,} a point"
    )
    return Drawn(figure, text + " · Wilson's 95 % interval", _seeds(results), has_intervals=False)


def _points(axis, place: int, of: int, experiment: str, groups: dict, labels: list[str]) -> float:
    label, marker = MARKS[experiment]
    highest = 0.0
    for name, (failed, total) in groups.items():
        look, bounds = style.protocol(name), share_interval(failed, total)
        y = labels.index(look.label) + (place - (of - 1) / 2) * 0.24
        share = 100 * failed / total
        low, high = 100 * bounds.low, 100 * bounds.high
        axis.errorbar(
            share,
            y,
            xerr=[[max(share - low, 0)], [max(high - share, 0)]],
            fmt=marker,
            color=look.colour,
            markersize=4.5,
            markeredgecolor="#333333",
            markeredgewidth=0.5,
            capsize=2,
            elinewidth=1,
        )
        axis.annotate(
            f"{failed} of {total:,}",
            (high, y),
            textcoords="offset points",
            xytext=(4, 0),
            va="center",
            fontsize=6.5,
        )
        highest = max(highest, high)
    axis.plot([], [], marker=marker, linestyle="none", color="#555555", label=label)
    return highest


def _seeds(results: Results) -> list[int]:
    seeds: list[int] = []
    for loss in LOSSES:
        for experiment in ("exp1", "exp2"):
            try:
                seeds += list(results.moves(loss, experiment)["seed"])
            except MissingData:
                continue
    return seeds
