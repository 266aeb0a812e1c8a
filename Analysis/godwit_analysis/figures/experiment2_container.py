"""Experiment 2, as the operator sees it: how long the phases of a container's move take and what they carry."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .. import style
from ..problems import MissingData
from ..results import Results
from ..statistics import Interval, interval
from .plan import Drawn, Plan, counts

FAMILY = "Experiment 2: the container's side"
PLACES = {
    "no-loss": ("nopacketloss", "exp2", "no loss"),
    "loss": ("packetloss", "exp2", "3 % loss towards the client"),
    "compressed": ("nopacketloss", "exp2/compressionenabled", "compressed transfer"),
}
PHASES = {
    "pre_dump_s": style.Look("Pre-dump", style.SKY),
    "pre_dump_tx_s": style.Look("Pre-dump transfer", style.BLUE, hatch="///"),
    "dump_s": style.Look("Dump", style.YELLOW),
    "dump_tx_s": style.Look("Dump transfer", style.ORANGE, hatch="///"),
    "restore_s": style.Look("Restore", style.GREEN),
    "lazy_tx_s": style.Look("Lazy pages transfer", style.PURPLE, hatch="///"),
}
BYTES = {
    "pre_dump_mb": style.Look("Pre-dump", style.BLUE),
    "dump_mb": style.Look("Dump", style.ORANGE),
    "lazy_mb": style.Look("Lazy pages", style.PURPLE),
}
SENT = {
    "pre_dump_sent_mb": BYTES["pre_dump_mb"],
    "dump_sent_mb": BYTES["dump_mb"],
    "lazy_mb": BYTES["lazy_mb"],
}


def catalogue(results: Results) -> list[Plan]:
    plans = []
    for slug, (loss, experiment, shown) in PLACES.items():
        for share in (False, True):
            kind, measure = ("percent", "shares") if share else ("absolute", "means")
            plans.append(
                Plan(
                    f"exp2-phases-{kind}-{slug}",
                    FAMILY,
                    f"Phases of a container's move, {measure}: {shown}",
                    "Times of the phases by technique and memory added." + _interval_text(share),
                    lambda results, place=(loss, experiment), share=share: _draw(
                        results, place, PHASES, "s", share
                    ),
                )
            )
        for share in (False, True):
            kind, measure = ("percent", "shares") if share else ("absolute", "means")
            plans.append(
                Plan(
                    f"exp2-bytes-{kind}-{slug}",
                    FAMILY,
                    f"Bytes of a container's move, {measure}: {shown}",
                    _bytes_text(slug) + _interval_text(share),
                    lambda results, place=(loss, experiment), share=share, slug=slug: _draw(
                        results, place, SENT if slug == "compressed" else BYTES, "MB", share
                    ),
                )
            )
    return plans


def _interval_text(share: bool) -> str:
    return "" if share else " The error bar is that of the whole; figures within are means."


def _bytes_text(slug: str) -> str:
    if slug == "compressed":
        return (
            "Bytes that crossed the network between the hosts, compressed; lazy pages are never compressed."
        )
    return "Sizes of what was copied, by technique and memory added (1 MB = 10^6 bytes)."


@dataclass(frozen=True)
class Bar:
    """One stack: a technique with an amount of memory."""

    x: float
    inflation: float
    n: int
    heights: dict[str, float]
    interval: Interval | None

    @property
    def top(self) -> float:
        whole = sum(self.heights.values())
        return (
            whole if self.interval is None or self.interval.high != self.interval.high else self.interval.high
        )


GAP = 0.8


def _draw(results: Results, place: tuple[str, str], parts: dict, unit: str, share: bool) -> Drawn:
    moves = results.container(*place)
    moves = moves[moves["downtime_s"].notna()]
    if moves.empty:
        raise MissingData(f"{place[0]}/{place[1]} has no container that moved")
    techniques = style.in_order(moves["technique"], style.TECHNIQUES)
    inflations = sorted(moves["inflation"].unique())
    bars = [
        _bar(cell, group * (len(inflations) + GAP) + position, parts, share)
        for group, technique in enumerate(techniques)
        for position, inflation in enumerate(inflations)
        if not (cell := moves[(moves["technique"] == technique) & (moves["inflation"] == inflation)]).empty
    ]
    figure = draw_bars(bars, techniques, len(inflations), parts, _axis_label(results, unit, share), share)
    return Drawn(figure, counts([bar.n for bar in bars], "a bar"), moves["seed"], has_intervals=not share)


def draw_bars(
    bars: list[Bar], techniques: list[str], width: int, parts: dict, y_label: str, share: bool
) -> Figure:
    figure, axis = style.blank(3.9)
    top = max(bar.top for bar in bars) * 1.13
    for bar in bars:
        _stack(axis, bar, parts, top, share)
    _axes(axis, bars, techniques, width, top)
    axis.set_ylabel(y_label)
    handles = [Patch(facecolor=look.colour, hatch=look.hatch, edgecolor="white") for look in parts.values()]
    labels = [look.label for look in parts.values()]
    figure.legend(handles, labels, loc="outside upper center", ncols=len(parts), columnspacing=1.2)
    return figure


def _bar(cell: pd.DataFrame, x: float, parts: dict, share: bool) -> Bar:
    values = cell[list(parts)].fillna(0.0)
    means = values.mean()
    factor = 100 / means.sum() if share and means.sum() > 0 else 1.0
    bounds = None if share else interval(values.sum(axis=1))
    return Bar(x, float(cell["inflation"].iloc[0]), len(cell), dict(means * factor), bounds)


def _stack(axis, bar: Bar, parts: dict, top: float, share: bool) -> None:
    bottom = 0.0
    for name, look in parts.items():
        height = bar.heights[name]
        if height == 0:
            continue
        axis.bar(bar.x, height, bottom=bottom, width=0.92, color=look.colour, hatch=look.hatch, linewidth=0)
        if height > top * 0.035:
            axis.text(
                bar.x,
                bottom + height / 2,
                f"{height:.0f}" if share else style.short(height),
                ha="center",
                va="center",
                fontsize=6,
                color="#FFFFFF" if look.colour in (style.BLUE, style.GREEN) else "#000000",
                bbox={"facecolor": look.colour, "edgecolor": "none", "pad": 0.6},
            )
        bottom += height
    if bar.interval is not None:
        low, high = style.error_bars(bottom, bar.interval)
        axis.errorbar(bar.x, bottom, yerr=[[low], [high]], color="#222222", elinewidth=0.9, capsize=2)


def _axes(axis, bars: list[Bar], techniques: list[str], width: int, top: float) -> None:
    for group, technique in enumerate(techniques):
        axis.text(
            group * (width + GAP) + (width - 1) / 2,
            0.985,
            style.technique(technique).label,
            ha="center",
            va="top",
            fontsize=8.5,
            fontweight="bold",
            transform=axis.get_xaxis_transform(),
        )
    axis.set_xticks([bar.x for bar in bars], [f"{bar.inflation:g}" for bar in bars])
    axis.set_xlim(-GAP, len(techniques) * (width + GAP) - GAP)
    axis.set_ylim(0, top)
    axis.set_xlabel("Memory added (MB), by technique")
    axis.grid(axis="x", visible=False)


def _axis_label(results: Results, unit: str, share: bool) -> str:
    if share:
        return "Share of the time (%)" if unit == "s" else "Share of the bytes (%)"
    return f"Time ({results.set.unit('s')})" if unit == "s" else "Bytes (MB)"
