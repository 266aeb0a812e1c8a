"""Experiment 2, as the client sees it: the request that waits for the container."""

import numpy as np
import pandas as pd
import seaborn

from .. import style
from ..problems import MissingData
from ..results import Results
from ..schema import LOSSES
from ..statistics import interval, summary
from .plan import Drawn, Plan, counts

FAMILY = "Experiment 2: a container moves under one client"
AFFECTED = (
    "Service time of the first request that was answered from the destination, by strategy, technique and memory "
    "added to the server."
)
BY_REQUEST = (
    "Mean service time by the request's number around the trigger, with its 95 % CI as a band. Crosses mark the "
    "requests that were the first answered from the new address."
)
STRATEGIES = ("proactiveExplicit", "reactiveExplicit", "poolOfAddresses3", "symmetric")
BEFORE, AFTER, LONGEST = 3, 9, 40


def catalogue(results: Results) -> list[Plan]:
    plans = []
    for loss in LOSSES:
        slug, shown = style.LOSS_SLUGS[loss], style.LOSSES[loss].lower()
        plans += [
            Plan(
                f"exp2-affected-scatter-{slug}",
                FAMILY,
                f"Service time across a container's move, {shown}",
                AFFECTED + " Every run is a point; the axis is logarithmic.",
                lambda results, loss=loss: _scatter(results, loss),
            ),
            Plan(
                f"exp2-affected-bars-{slug}",
                FAMILY,
                f"Mean service time across a container's move, {shown}",
                AFFECTED + " Bars are means; every panel has a scale of its own.",
                lambda results, loss=loss: _bars(results, loss),
            ),
        ]
    for protocol in _strategies(results):
        for loss in LOSSES:
            plans.append(
                Plan(
                    f"exp2-by-request-{protocol}-{style.LOSS_SLUGS[loss]}",
                    FAMILY,
                    f"Requests around the trigger: {style.protocol(protocol).label}, {style.LOSSES[loss].lower()}",
                    BY_REQUEST,
                    lambda results, loss=loss, protocol=protocol: _by_request(results, loss, protocol),
                )
            )
    return plans


def _strategies(results: Results) -> list[str]:
    """The thesis's four, and those beside them."""
    names = set(STRATEGIES)
    for loss in LOSSES:
        try:
            names |= set(results.moves(loss, "exp2")["protocol"])
        except MissingData:
            continue
    return style.in_order(names, style.PROTOCOLS)


def _present(results: Results, loss: str) -> pd.DataFrame:
    moves = results.moves(loss, "exp2")
    if moves["service_ms"].isna().all():
        raise MissingData(f"{loss}/exp2 has no service time")
    return moves


def _grid(count: int) -> tuple[int, int]:
    return ((count + 1) // 2, 2) if count > 1 else (1, 1)


def _panels(results: Results, moves: pd.DataFrame, share: bool):
    protocols = style.in_order(moves["protocol"], style.PROTOCOLS)
    rows, columns = _grid(len(protocols))
    figure, axes = style.blank(2.35 * rows + 0.4, rows, columns, squeeze=False, sharey=share)
    panels = dict(zip(protocols, axes.flat))
    for axis in list(axes.flat)[len(protocols) :]:
        axis.remove()
    for protocol, axis in panels.items():
        axis.set_title(style.protocol(protocol).label, loc="left", fontweight="bold")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    for axis in list(panels.values())[-columns:]:
        axis.set_xlabel("Memory added to the server")
    return figure, panels


def _below_title(figure, axis) -> None:
    """The techniques' legend above all panels, where it can't cover a value."""
    handles, labels = axis.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    figure.legend(unique.values(), unique.keys(), loc="outside upper center", ncols=min(4, len(unique)))


def _scatter(results: Results, loss: str) -> Drawn:
    moves = _present(results, loss).assign(service_s=lambda frame: frame["service_ms"] / 1000)
    techniques = style.in_order(moves["technique"], style.TECHNIQUES)
    inflations = sorted(moves["inflation"].unique())
    figure, panels = _panels(results, moves, share=True)
    numbers = []
    for protocol, axis in panels.items():
        shown = moves[(moves["protocol"] == protocol) & ~moves["failed"]]
        numbers += list(shown.groupby(["technique", "inflation"]).size())
        for place, technique in enumerate(techniques):
            look = style.technique(technique)
            part = shown[shown["technique"] == technique].sort_values(["inflation", "run", "repetition"])
            centre = [
                inflations.index(value) + (place - (len(techniques) - 1) / 2) * 0.2
                for value in part["inflation"]
            ]
            centre = np.array(centre) + _jitter(len(part))
            style.points(axis, centre, part["service_s"], look, s=10, alpha=0.8)
        style.logarithmic(axis)
        _memory_ticks(axis, inflations)
    _below_title(figure, next(iter(panels.values())))
    return Drawn(figure, counts(numbers, "a group"), moves["seed"], has_intervals=False)


def _jitter(count: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.055, 0.055, count)


def _memory_ticks(axis, inflations: list[float]) -> None:
    axis.set_xticks(range(len(inflations)), [style.megabytes(value) for value in inflations])
    axis.set_xlim(-0.5, len(inflations) - 0.5)
    axis.grid(axis="x", visible=False)
    for place in range(1, len(inflations)):
        axis.axvline(place - 0.5, color="#DDDDDD", linewidth=0.6, zorder=0)


def _bars(results: Results, loss: str) -> Drawn:
    moves = _present(results, loss)
    techniques = style.in_order(moves["technique"], style.TECHNIQUES)
    inflations = sorted(moves["inflation"].unique())
    figure, panels = _panels(results, moves, share=False)
    numbers = []
    for protocol, axis in panels.items():
        for place, technique in enumerate(techniques):
            look = style.technique(technique)
            for group, inflation in enumerate(inflations):
                cell = moves[
                    (moves["protocol"] == protocol)
                    & (moves["technique"] == technique)
                    & (moves["inflation"] == inflation)
                ]
                one = summary(cell["service_ms"] / 1000)
                if not one.n:
                    continue
                numbers.append(one.n)
                low, high = style.error_bars(one.mean, one.interval)
                axis.bar(
                    group + (place - (len(techniques) - 1) / 2) * 0.2,
                    one.mean,
                    width=0.19,
                    color=look.colour,
                    hatch=look.hatch,
                    label=look.label,
                    yerr=[[low], [high]],
                    linewidth=0,
                    error_kw={"elinewidth": 0.8, "capsize": 1.5, "ecolor": "#222222"},
                )
        _memory_ticks(axis, inflations)
    _below_title(figure, next(iter(panels.values())))
    return Drawn(figure, counts(numbers, "a bar"), moves["seed"])


def _by_request(results: Results, loss: str, protocol: str) -> Drawn:
    moves = _present(results, loss)
    moves = moves[(moves["protocol"] == protocol) & ~moves["failed"]]
    if moves.empty:
        raise MissingData(f"{loss}/exp2 has no service time of {protocol}")
    techniques = style.in_order(moves["technique"], style.TECHNIQUES)
    inflations = sorted(moves["inflation"].unique())
    colours = seaborn.color_palette("cividis", len(inflations))
    rows, columns = _grid(len(techniques))
    figure, axes = style.blank(2.35 * rows + 0.4, rows, columns, squeeze=False, sharey=True)
    numbers = []
    for axis in list(axes.flat)[len(techniques) :]:
        axis.remove()
    for technique, axis in zip(techniques, axes.flat):
        part = moves[moves["technique"] == technique]
        numbers += list(part.groupby("inflation").size())
        _lines(axis, part, inflations, colours)
        axis.set_title(style.technique(technique).label, loc="left", fontweight="bold")
    for axis in axes[-1, :]:
        axis.set_xlabel("Request")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    _below_title(figure, axes.flat[0])
    return Drawn(figure, counts(numbers, "a line"), moves["seed"])


MARKS = ("o", "s", "^", "D")


def _lines(axis, part: pd.DataFrame, inflations: list[float], colours) -> None:
    trigger = int(part["first_request"].iloc[0]) - 1
    last = min(int(part["affected_request"].max()) + AFTER, trigger + LONGEST)
    for place, (inflation, colour) in enumerate(zip(inflations, colours)):
        runs = part[part["inflation"] == inflation]
        if runs.empty:
            continue
        numbers, means, lows, highs = _by_number(runs["service_us"], max(1, trigger - BEFORE + 1), last)
        axis.plot(
            numbers,
            means,
            color=colour,
            marker=MARKS[place % len(MARKS)],
            markersize=3,
            linewidth=1,
            label=f"{style.megabytes(inflation)} added",
        )
        axis.fill_between(numbers, lows, highs, color=colour, alpha=0.25, linewidth=0)
    axis.axvline(trigger + 0.5, color=style.BLACK, linestyle="--", linewidth=1, label="migration triggered")
    firsts = np.unique(part["affected_request"])
    firsts = firsts[firsts <= last]
    axis.scatter(
        firsts,
        np.full(len(firsts), 0.03),
        transform=axis.get_xaxis_transform(),
        marker="x",
        s=18,
        linewidths=1,
        color=style.VERMILION,
        zorder=5,
        label="first response from the new address",
    )
    style.logarithmic(axis)
    axis.xaxis.get_major_locator().set_params(integer=True, nbins=7)


def _by_number(lists, first: int, last: int):
    numbers, means, lows, highs = [], [], [], []
    for number in range(first, last + 1):
        values = np.array([one[number - 1] for one in lists if len(one) >= number]) / 1e6
        if len(values) == 0:
            break
        bounds = interval(values)
        numbers.append(number)
        means.append(values.mean())
        lows.append(bounds.low)
        highs.append(bounds.high)
    return numbers, means, lows, highs
