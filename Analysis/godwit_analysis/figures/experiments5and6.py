"""Experiments 5 and 6: an hour of a client that changes its Wi-Fi, with a server that follows and one that stays."""

import numpy as np

from .. import style
from ..problems import MissingData
from ..results import Hour, Results
from .plan import Drawn, Plan

FAMILY = "Experiments 5 and 6: an hour of handovers"
HOUR = "Every request of an hour by the time it was sent; crosses mark the client's handovers."
WITH_MOVES = HOUR + " After each, the server follows to the client's side."
STRATEGIES = ("symmetric", "reactiveExplicit")
# The thesis shows 590 to 620 s, its first handover being at 600; a quick run has its first one sooner.
BEFORE, LENGTH = 10.0, 30.0


def catalogue(results: Results) -> list[Plan]:
    plans = [
        Plan(
            f"exp5-hour-{protocol}",
            FAMILY,
            f"An hour with server migration: {style.protocol(protocol).label}",
            WITH_MOVES,
            lambda results, protocol=protocol: _hour(results, "exp5", protocol),
        )
        for protocol in _strategies(results)
    ]
    return plans + [
        Plan(
            "exp6-hour",
            FAMILY,
            "An hour without server migration",
            HOUR,
            lambda results: _hour(results, "exp6", None),
        ),
        Plan(
            "exp5-exp6-handover",
            FAMILY,
            "The first handover, with and without server migration",
            "Requests around the first handover; the axis is logarithmic.",
            _side_by_side,
        ),
    ]


def _strategies(results: Results) -> list[str]:
    try:
        present = {hour.protocol for hour in results.hours("exp5")}
    except MissingData:
        present = set()
    return list(STRATEGIES) + [
        name for name in style.in_order(present, style.PROTOCOLS) if name not in STRATEGIES
    ]


def _of(results: Results, experiment: str, protocol: str | None) -> Hour:
    for hour in results.hours(experiment):
        if hour.protocol == protocol:
            return hour
    raise MissingData(f"packetloss/{experiment} has no run of {protocol}")


def _look(hour: Hour) -> style.Look:
    return style.protocol(hour.protocol or "quicBaseline")


def _marked(axis, hour: Hour, transform_y: float = 0.03) -> None:
    transform = axis.get_xaxis_transform()
    axis.scatter(
        hour.handovers,
        np.full(len(hour.handovers), transform_y),
        transform=transform,
        marker="x",
        s=28,
        color=style.BLACK,
        linewidths=1.3,
        zorder=6,
        label="client's handover",
        clip_on=True,
    )


def _hour(results: Results, experiment: str, protocol: str | None) -> Drawn:
    hour = _of(results, experiment, protocol)
    figure, axis = style.blank(3.2)
    axis.plot(
        hour.sent,
        hour.service,
        color=_look(hour).colour,
        linewidth=0.5,
        marker="o",
        markersize=1.4,
        markeredgewidth=0,
        rasterized=True,
        label="request",
    )
    _marked(axis, hour)
    axis.set_xlim(0, max(hour.sent[-1], 1) * 1.01)
    axis.set_ylim(0, max(hour.service.max() * 1.1, 0.01))
    axis.set_xlabel(f"Time of the request ({results.set.unit('s')})")
    axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return Drawn(figure, _samples(hour), [hour.seed], has_intervals=False)


def _samples(hour: Hour) -> str:
    return f"n = {len(hour.service):,} requests, {len(hour.handovers)} handovers"


def _side_by_side(results: Results) -> Drawn:
    hours = [_of(results, "exp5", protocol) for protocol in STRATEGIES if _has(results, protocol)]
    if not hours:
        raise MissingData("packetloss/exp5 has no run")
    hours.append(_of(results, "exp6", None))
    spans = [_span(hour) for hour in hours]
    windows = [(hour.sent >= start) & (hour.sent <= end) for hour, (start, end) in zip(hours, spans)]
    if not all(window.any() for window in windows):
        raise MissingData("a run has no request around its first handover")
    figure, axes = style.blank(3.2, 1, len(hours), sharey=True, squeeze=False)
    for axis, hour, window, span in zip(axes[0], hours, windows, spans):
        _window(axis, hour, window, span)
        axis.set_xlabel(f"Time of the request ({results.set.unit('s')})")
    axes[0, 0].set_ylabel(f"Service time ({results.set.unit('ms')})")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    numbers = ", ".join(f"{int(window.sum()):,}" for window in windows)
    return Drawn(figure, f"n = {numbers} requests", [hour.seed for hour in hours], has_intervals=False)


def _has(results: Results, protocol: str) -> bool:
    return any(hour.protocol == protocol for hour in results.hours("exp5"))


def _span(hour: Hour) -> tuple[float, float]:
    """From about ten seconds before the first handover on, beginning with a round number."""
    if not len(hour.handovers):
        raise MissingData(f"packetloss/{hour.experiment} has a run without handover")
    start = max(0.0, 10 * np.floor((hour.handovers[0] - BEFORE / 2) / 10))
    return start, start + LENGTH


def _window(axis, hour: Hour, window: np.ndarray, span: tuple[float, float]) -> None:
    look = _look(hour)
    axis.plot(
        hour.sent[window],
        hour.service[window] * 1000,
        color=look.colour,
        linewidth=0.8,
        marker="o",
        markersize=2,
        markeredgewidth=0,
        label="request",
        rasterized=True,
    )
    _marked(axis, hour)
    inside = hour.triggers[(hour.triggers >= span[0]) & (hour.triggers <= span[1])]
    for place, trigger in enumerate(inside):
        axis.axvline(
            trigger,
            color=style.VERMILION,
            linestyle="--",
            linewidth=1,
            label="server's migration" if not place else None,
        )
    axis.set_xlim(*span)
    style.logarithmic(axis)
    # None at an edge, where the next panel's would touch it.
    axis.set_xticks([span[0] + 5, span[0] + 15, span[0] + 25])
    axis.xaxis.set_major_formatter(style.plain_number)
    title = "Server stays" if hour.protocol is None else f"Server follows,\n{look.label}"
    axis.set_title(title, loc="left", fontweight="bold", fontsize=8)
