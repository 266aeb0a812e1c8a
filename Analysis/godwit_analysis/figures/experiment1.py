"""Experiment 1: what a strategy alone costs the first request after a move; experiment 0 is the bar beside."""

import pandas as pd

from .. import style
from ..problems import MissingData
from ..results import Results
from ..schema import LOSSES
from ..statistics import Summary, summary
from .plan import Case, Drawn, Plan, counts, singles_and_panels

FAMILY = "Experiment 1: the protocol alone"
TEXT = (
    "Mean service time of the first request after a migration. A full run sends it 5 s after the trigger, when the "
    "server has long been restored; a quick one sooner, so that it waits for the rest of the downtime. Beside it, "
    "without migration, the fifth request of experiment 0."
)


def catalogue(results: Results) -> list[Plan]:
    cases = [Case(style.LOSS_SLUGS[loss], style.LOSSES[loss].lower(), loss) for loss in LOSSES]
    both = Case("panels", "without and with loss", "")
    title = "Service time after a migration"
    return singles_and_panels("exp1-service-time", FAMILY, title, TEXT, cases, both, _draw)


def samples(results: Results, loss: str) -> dict[str, pd.DataFrame]:
    """Runs by strategy, with experiment 0 in front where it is there."""
    moves = results.moves(loss, "exp1")
    groups = {
        name: moves[moves["protocol"] == name] for name in style.in_order(moves["protocol"], style.PROTOCOLS)
    }
    try:
        return {"quicBaseline": results.plain_runs(loss)} | groups
    except MissingData as reason:
        results.findings.note(f"{results.set.label}: experiment 1 is drawn without its baseline: {reason}")
        return groups


def _draw(results: Results, losses: list[str]) -> Drawn:
    groups = {loss: samples(results, loss) for loss in losses}
    names = style.in_order({name for group in groups.values() for name in group}, style.PROTOCOLS)
    figure, axes = style.blank(2.9 * len(losses) + 0.2, rows=len(losses), squeeze=False)
    numbers, seeds = [], []
    for axis, loss in zip(axes[:, 0], losses):
        found = {name: summary(frame["service_ms"]) for name, frame in groups[loss].items()}
        draw_bars(axis, names, found)
        axis.set_title(style.LOSSES[loss], loc="left", fontweight="bold")
        axis.set_ylabel(f"Service time ({results.set.unit('ms')})")
        numbers += [one.n for one in found.values()]
        seeds += [seed for frame in groups[loss].values() for seed in frame["seed"]]
    return Drawn(figure, counts(numbers, "a bar"), seeds)


def draw_bars(axis, names: list[str], found: dict[str, Summary]) -> None:
    tallest = max((_top(one) for one in found.values() if one.n), default=1.0)
    for place, name in enumerate(names):
        one = found.get(name)
        if one is None:
            continue
        if one.n == 0:
            axis.text(
                place, tallest * 0.02, f"all {one.failures} failed", ha="center", va="bottom", fontsize=7
            )
            continue
        low, high = style.error_bars(one.mean, one.interval)
        axis.bar(
            place,
            one.mean,
            width=0.7,
            color=style.protocol(name).colour,
            edgecolor="#333333",
            linewidth=0.6,
            yerr=[[low], [high]],
            error_kw={"elinewidth": 1, "capsize": 3, "ecolor": "#222222"},
        )
        axis.text(
            place,
            one.mean + high + tallest * 0.02,
            style.short(one.mean),
            ha="center",
            va="bottom",
            fontsize=7.5,
            fontweight="bold",
        )
    axis.set_ylim(0, tallest * 1.14)
    axis.yaxis.set_major_formatter(style.plain_number)
    axis.grid(axis="x", visible=False)
    axis.set_xticks(range(len(names)), [_tick(name, found.get(name)) for name in names])
    axis.set_xlim(-0.6, len(names) - 0.4)


def _top(one: Summary) -> float:
    return max(one.mean, one.interval.high) if one.n > 1 else one.mean


def _tick(name: str, one: Summary | None) -> str:
    label = style.protocol(name).label.replace(" ", "\n", 1)
    if one is not None and one.failures and one.n:
        label += f"\n({one.failures} failed)"
    return label
