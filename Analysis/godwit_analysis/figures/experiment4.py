"""Experiment 4: thirty clients with real sizes; a line for each around the move, and what sizes cost."""

import numpy as np
import seaborn

from .. import style
from ..crowd import Client, Crowd, crowd
from ..problems import MissingData
from ..results import Results
from ..schema import LOSSES, ROUND_TRIPS
from .plan import Drawn, Plan, counts

FAMILY = "Experiment 4: thirty clients"
STRATEGIES = ("reactiveExplicit", "symmetric", "poolOfAddresses")
INTERVALS = {0.0: "back to back", 1000.0: "requests every 1 s"}
TRACES = "Service time by the time of the request, a line a client; the server moves with 0 MB added."
SIZE = "Back-to-back requests before the notice, 122 ms, no loss; GET by its response's size, POST by its request's."
# The windows 80 to 120 s and 30 to 115 s of a full run, whose server moves at about 99 s; a quick one moves sooner.
TRIGGER, TRACE, LONG_TRACE = 99.0, (80.0, 120.0), (30.0, 115.0)
# What the thesis's server may have in flight when a response begins: half of 65 KB a round trip of 122 ms.
WINDOW_B, ROUND_TRIP_S = 65_000 / 2, 0.122


def catalogue(results: Results) -> list[Plan]:
    plans = [
        Plan(
            f"exp4-traces-{technique}-{round_trip.removesuffix('_rtt')}-{style.LOSS_SLUGS[loss]}",
            FAMILY,
            f"Thirty clients around a move: {style.technique(technique).label}, "
            f"{style.ROUND_TRIPS[round_trip]}, {style.LOSSES[loss].lower()}",
            TRACES,
            lambda results, place=(loss, round_trip), technique=technique: _traces(results, place, technique),
        )
        for round_trip in ROUND_TRIPS
        for technique in style.TECHNIQUES
        for loss in LOSSES
    ]
    return plans + [
        Plan(
            "exp4-trace-symmetric-cold-122ms",
            FAMILY,
            "Thirty clients before and after a move: Symmetric, cold, 122 ms",
            TRACES,
            _long_trace,
        ),
        Plan(
            "exp4-time-by-size",
            FAMILY,
            "Service time by size",
            SIZE + " The line is what a window of 65 KB, half full at the start, allows.",
            _time_by_size,
        ),
        Plan("exp4-size-by-time", FAMILY, "Size by service time", SIZE, _size_by_time),
    ]


def _shown(found: Crowd, **wanted) -> list[Client]:
    return [
        client
        for client in found.clients
        if client.inflation == 0
        and not client.timed_out
        and client.trigger == client.trigger
        and all(getattr(client, name) == value for name, value in wanted.items())
    ]


def _traces(results: Results, place: tuple[str, str], technique: str) -> Drawn:
    found = crowd(results, *place)
    everyone = _shown(found, technique=technique)
    if not everyone:
        raise MissingData(f"{place[0]}/exp4/{place[1]} has no run of {technique} with 0 MB added")
    figure, axes = style.blank(5.6, len(STRATEGIES), len(INTERVALS), sharex=True, sharey="row")
    numbers, window = [], _window(everyone, TRACE)
    for row, protocol in zip(axes, STRATEGIES):
        for axis, (pause, shown) in zip(row, INTERVALS.items()):
            clients = _shown(found, technique=technique, protocol=protocol, interval_ms=pause)
            numbers.append(len(clients))
            _panel(axis, clients, *window)
            axis.set_title(
                f"{style.protocol(protocol).label}, {shown}", loc="left", fontweight="bold", fontsize=8
            )
    for axis in axes[-1]:
        axis.set_xlabel(f"Time of the request ({results.set.unit('s')})")
    for axis in axes[:, 0]:
        # Only now that both panels of a row are drawn: a limit set earlier would cut the second one's peaks.
        axis.set_ylim(bottom=0)
        axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    _legend(figure, axes)
    return Drawn(figure, counts(numbers, "clients a panel"), _seeds(found), has_intervals=False)


def _legend(figure, axes) -> None:
    for axis in np.asarray(axes).flat:
        handles, labels = axis.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside upper right")
            return


def _window(clients: list[Client], full: tuple[float, float]) -> tuple[float, float]:
    """The thesis's window, moved by tens of seconds to where the trigger was."""
    shift = 10 * round((float(np.median([client.trigger for client in clients])) - TRIGGER) / 10)
    start = max(0.0, full[0] + shift)
    last = max((float(client.sent[-1]) for client in clients if len(client.sent)), default=start + 1)
    return start, max(min(full[1] + shift, np.ceil(last)), start + 1)


def _panel(axis, clients: list[Client], start: float, end: float) -> None:
    axis.set_xlim(start, end)
    lines = [(client.sent, client.service) for client in clients]
    lines = [_between(sent, service, start, end) for sent, service in lines]
    if not any(len(sent) for sent, _ in lines):
        axis.text(
            0.5, 0.5, "no request here", ha="center", va="center", transform=axis.transAxes, color=style.GREY
        )
        return
    colours = seaborn.color_palette("viridis", len(lines))
    for (sent, service), colour in zip(lines, colours):
        # Thousands of points: as a picture inside the figure, or no reader could scroll past it.
        axis.plot(sent, service, color=colour, linewidth=0.7, marker="o", markersize=1.4, rasterized=True)
    for trigger in sorted({round(client.trigger, 3) for client in clients}):
        axis.axvline(trigger, color=style.VERMILION, linestyle="--", linewidth=1, label="migration triggered")


def _between(sent: np.ndarray, service: np.ndarray, start: float, end: float):
    inside = (sent >= start) & (sent <= end)
    return sent[inside], service[inside]


def _seeds(found: Crowd) -> list[int]:
    return [client.seed for client in found.clients]


def _long_trace(results: Results) -> Drawn:
    found = crowd(results, "nopacketloss", "122ms_rtt")
    clients = _shown(found, technique="cold", protocol="symmetric", interval_ms=0.0)
    if not clients:
        raise MissingData("nopacketloss/exp4/122ms_rtt has no such run")
    figure, axis = style.blank(3.3)
    _panel(axis, clients, *_window(clients, LONG_TRACE))
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"Time of the request ({results.set.unit('s')})")
    axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    _legend(figure, [axis])
    return Drawn(figure, counts([len(clients)], "clients"), _seeds(found), has_intervals=False)


METHODS = {
    "GET": style.Look("GET, by response", style.BLUE, "o"),
    "POST": style.Look("POST, by request", style.ORANGE, "^"),
}


def _scatter(results: Results):
    found = crowd(results, "nopacketloss", "122ms_rtt")
    if not any(one.total for one in found.sizes.values()):
        raise MissingData("nopacketloss/exp4/122ms_rtt has no back-to-back request before the notice")
    figure, axis = style.blank(3.6)
    shown = " and ".join(
        f"{len(one.size):,} of {one.total:,} {method}" for method, one in found.sizes.items()
    )
    return found, figure, axis, f"n = {shown}"


def _time_by_size(results: Results) -> Drawn:
    found, figure, axis, samples = _scatter(results)
    for method, one in found.sizes.items():
        look = METHODS[method]
        style.points(axis, one.size / 1000, one.service, look, s=7, alpha=0.5, rasterized=True)
    largest = max(one.size.max() for one in found.sizes.values() if one.total)
    sizes = np.linspace(0, largest, 50)
    axis.plot(
        sizes / 1000,
        sizes / WINDOW_B * ROUND_TRIP_S,
        color=style.BLACK,
        linestyle="--",
        linewidth=1,
        label="2 · size / 65 KB · 122 ms",
    )
    slowest = max(one.service.max() for one in found.sizes.values() if one.total)
    axis.set_ylim(0, slowest * 1.08)
    axis.set_xlim(0, largest / 1000 * 1.03)
    axis.set_xlabel("Size (KB, 1 KB = 1000 B)")
    axis.set_ylabel(f"Service time ({results.set.unit('s')})")
    axis.legend(loc="upper left")
    return Drawn(figure, samples, _seeds(found), has_intervals=False)


def _size_by_time(results: Results) -> Drawn:
    found, figure, axis, samples = _scatter(results)
    for method, one in found.sizes.items():
        look = METHODS[method]
        style.points(axis, one.service, one.size / 1000, look, s=7, alpha=0.5, rasterized=True)
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)
    axis.set_xlabel(f"Service time ({results.set.unit('s')})")
    axis.set_ylabel("Size (KB, 1 KB = 1000 B)")
    axis.legend(loc="upper left")
    return Drawn(figure, samples, _seeds(found), has_intervals=False)
