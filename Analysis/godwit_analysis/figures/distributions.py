"""Whole distributions of what a move costs beyond the plain service time: a mean hides the ladder of timeouts."""

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from .. import style
from ..problems import MissingData
from ..reference import LADDER_MS
from ..results import Results
from ..schema import LOSSES
from ..statistics import ecdf
from .plan import Drawn, Plan, counts

FAMILY = "Distributions of the excess"
EXCESS = (
    "Share of runs whose first request after the move took at most so long beyond the plain service time: the median "
    "of experiment 0 in the same set under the same loss."
)
LADDER = " Dotted lines are the ladder of probe timeouts that explains the thesis's results."
# Below a millisecond the axis is linear: an excess may be nothing or less than nothing.
LINEAR_MS = 1.0
DECADE_FROM = 4.0


def catalogue(results: Results) -> list[Plan]:
    ladder = LADDER if results.set.policy == "thesis" else ""
    return [
        Plan(
            "exp1-excess-ecdf",
            FAMILY,
            "Excess over the plain service time, the protocol alone",
            EXCESS + ladder,
            lambda results: _draw(results, "exp1"),
        ),
        Plan(
            "exp2-excess-ecdf",
            FAMILY,
            "Excess over the plain service time, across a container's move",
            EXCESS + " All techniques and memory sizes together; the downtime is part of it.",
            lambda results: _draw(results, "exp2"),
        ),
    ]


def _draw(results: Results, experiment: str) -> Drawn:
    losses = _drawable(results, experiment)
    figure, axes = style.blank(2.7 * len(losses) + 0.5, rows=len(losses), sharex=True, squeeze=False)
    numbers, seeds, handles = [], [], {}
    excess = [results.moves(loss, experiment)["service_ms"] - results.plain_ms(loss) for loss in losses]
    least, most = min(float(one.min()) for one in excess), max(float(one.max()) for one in excess)
    for axis, loss in zip(axes[:, 0], losses):
        moves, plain = results.moves(loss, experiment), results.plain_ms(loss)
        numbers += _lines(axis, moves, plain)
        seeds += list(moves["seed"])
        _axis(axis, results, experiment, least, most)
        heading = f"{style.LOSSES[loss]} (plain: {plain:.2f} {results.set.unit('ms')})"
        axis.set_title(heading, loc="left", fontweight="bold")
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels())}
    axes[-1, 0].set_xlabel(f"Excess over the plain service time ({results.set.unit('ms')})")
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(4, len(handles)))
    return Drawn(figure, counts(numbers, "a line"), seeds, has_intervals=False)


def _drawable(results: Results, experiment: str) -> list[str]:
    """One panel is better than none."""
    losses, reasons = [], []
    for loss in LOSSES:
        try:
            results.plain_ms(loss)
            if results.moves(loss, experiment)["service_ms"].isna().all():
                raise MissingData(f"{loss}/{experiment} has no service time")
            losses.append(loss)
        except MissingData as reason:
            reasons.append(str(reason))
    if not losses:
        raise MissingData("; ".join(dict.fromkeys(reasons)))
    return losses


def _lines(axis, moves, plain: float) -> list[int]:
    numbers = []
    for name in style.in_order(moves["protocol"], style.PROTOCOLS):
        runs = moves[moves["protocol"] == name]
        values, _ = ecdf(runs["service_ms"] - plain)
        if not len(values):
            continue
        # Failed runs never answered: the line ends below 1 by their share.
        shares = np.arange(1, len(values) + 1) / len(runs)
        look = style.protocol(name)
        every = max(1, len(values) // 12)
        axis.step(
            np.concatenate([values[:1], values]),
            np.concatenate([[0.0], shares]),
            where="post",
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markersize=3.5,
            markevery=every,
            path_effects=style.outlined(look),
            label=look.label,
        )
        numbers.append(len(values))
    return numbers


def _axis(axis, results: Results, experiment: str, least: float, most: float) -> None:
    if least > 10 * LINEAR_MS and most < DECADE_FROM * least:
        # Too narrow for a scale of decades, which would have a single number on it.
        pass
    elif least > 10 * LINEAR_MS:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_xscale("symlog", linthresh=LINEAR_MS, linscale=0.6)
    axis.xaxis.set_major_formatter(style.plain_number)
    axis.set_ylim(0, 1.03)
    axis.set_ylabel("Share of runs")
    left = 0.8 * least if least > 10 * LINEAR_MS else min(-LINEAR_MS, 1.2 * least)
    axis.set_xlim(left, 1.2 * max(most, LINEAR_MS))
    if results.set.policy == "thesis" and experiment == "exp1":
        for step in LADDER_MS:
            if step < 1.2 * most:
                axis.axvline(step, color="#666666", linestyle=":", linewidth=0.8, zorder=1)
