"""Across sets: ours against the thesis's, the simulator against real sockets. Only excesses and shares meet here."""

from collections.abc import Callable

import numpy as np
from matplotlib.ticker import NullFormatter

from .. import reference, statistics, style
from ..agreement import ENOUGH, Comparison, compare
from ..problems import MissingData
from ..results import Results, is_cpu_bound
from ..schema import LOSSES, ROUND_TRIPS
from ..statistics import Interval, summary
from .plan import Drawing, counts

FAMILY = "Ours against the thesis's, and simulated against real"
FOLDER = "comparison"
SET_LOOKS = {
    "thesis/simulated": style.Look("", style.BLUE, "o"),
    "thesis/loopback": style.Look("", style.SKY, "s"),
    "thesis/namespaces": style.Look("", style.PURPLE, "^"),
    "godwit/simulated": style.Look("", style.VERMILION, "D"),
    "godwit/loopback": style.Look("", style.ORANGE, "P"),
    "godwit/namespaces": style.Look("", style.GREEN, "X"),
    "thesis/published": style.Look("", style.GREY, "v"),
}
PAPER = style.Look("the thesis's published figures", style.BLACK, "*")


def catalogue() -> list[tuple[str, Callable[[list[Results]], Drawing]]]:
    return [
        ("compare-exp1-excess", _experiment_1),
        ("compare-exp3-notification", _experiment_3),
        ("agreement-simulated-real", _agreement),
    ]


def _look(results: Results) -> style.Look:
    known = SET_LOOKS.get(results.set.slug, style.Look("", style.BLACK, "x"))
    return style.Look(f"policy {results.set.policy}, {results.set.backend}", known.colour, known.marker)


def _finished(
    name: str, title: str, text: str, figure, facts: list[str], all_results, experiments
) -> Drawing:
    commits = sorted({one.set.shown_commit(experiments) for one in all_results})
    policies = sorted({one.set.policy for one in all_results})
    backends = sorted({one.set.backend for one in all_results})
    line = " · ".join(
        [
            f"policies {', '.join(policies)}",
            f"backends {', '.join(backends)}",
            *facts,
            statistics.METHOD,
            *commits,
        ]
    )
    style.footer(figure, line)
    return Drawing(FOLDER, name, FAMILY, title, f"{text} {line[0].upper()}{line[1:]}.", figure)


Point = tuple[float, Interval]


def _excess(results: Results, loss: str) -> dict[str, tuple[Point, int]]:
    moves, plain = results.moves(loss, "exp1"), results.plain_ms(loss)
    found = {}
    for name in style.in_order(moves["protocol"], style.PROTOCOLS):
        one = summary(moves.loc[moves["protocol"] == name, "service_ms"] - plain)
        if one.n:
            found[name] = ((one.mean, one.interval), one.n)
    return found


def _published_excess(loss: str) -> dict[str, Point]:
    table = reference.EXPERIMENT_1[loss]
    plain = table["quicBaseline"].median
    return {
        name: (one.mean - plain, Interval(one.low - plain, one.high - plain))
        for name, one in table.items()
        if name != "quicBaseline"
    }


def _experiment_1(all_results: list[Results]) -> Drawing:
    found = {loss: _by_set(all_results, lambda results: _excess(results, loss)) for loss in LOSSES}
    if not any(found.values()):
        raise MissingData("no set has experiments 0 and 1")
    names = style.in_order(
        {name for one in found.values() for points in one.values() for name in points}
        | set(_published_excess("nopacketloss")),
        style.PROTOCOLS,
    )
    series = 1 + max(len(one) for one in found.values())
    figure, axes = style.blank(0.4 + len(names) * (0.3 + 0.11 * series) + 1.2, 1, 2, sharey=True, sharex=True)
    numbers = []
    for axis, loss in zip(axes, LOSSES):
        rows = {_look(results): points for results, points in found[loss].items()}
        for place, (look, points) in enumerate(rows.items(), 1):
            numbers += [n for _, n in points.values()]
            _row(axis, look, {name: point for name, (point, _) in points.items()}, names, place, series)
        _row(axis, PAPER, _published_excess(loss), names, 0, series)
        _dress_rows(axis, [style.protocol(name).label for name in names])
        axis.set_xscale("symlog", linthresh=1.0, linscale=0.6)
        axis.xaxis.set_major_formatter(style.plain_number)
        axis.set_title(style.LOSSES[loss], loc="left", fontweight="bold")
        axis.set_xlabel("Mean excess over the set's own\nplain service time (ms)")
    axes[0].set_xlim(left=-1.5, right=1.3 * _longest(found))
    _one_legend(figure, axes)
    return _finished(
        "compare-exp1-excess",
        "What a move costs beyond the plain service time: ours and the thesis's",
        "Mean excess of the first request after a move. Every set is measured against its own experiment 0, so that "
        "sets in virtual time can stand beside measured ones.",
        figure,
        [counts(numbers, "a point"), "the thesis: n = 95 to 100"],
        all_results,
        (0, 1),
    )


def _longest(found: dict) -> float:
    """The farthest end of an interval or point in both panels, the thesis's included."""
    points = [point for one in found.values() for points in one.values() for point, _ in points.values()]
    points += [point for loss in LOSSES for point in _published_excess(loss).values()]
    return max(
        max(middle, bounds.high if bounds.high == bounds.high else middle) for middle, bounds in points
    )


def _by_set(all_results: list[Results], collect) -> dict[Results, dict]:
    found = {}
    for results in all_results:
        try:
            found[results] = collect(results)
        except MissingData:
            continue
    return found


def _row(axis, look: style.Look, points: dict[str, Point], names: list[str], place: int, series: int) -> None:
    shown = [name for name in names if name in points]
    if not shown:
        return
    y = [names.index(name) + (place - (series - 1) / 2) * 0.8 / series for name in shown]
    middles = [points[name][0] for name in shown]
    bounds = [style.error_bars(*points[name]) for name in shown]
    axis.errorbar(
        middles,
        y,
        xerr=list(zip(*bounds)),
        fmt=look.marker,
        color=look.colour,
        markersize=5 if look is PAPER else 4,
        capsize=1.8,
        elinewidth=0.9,
        label=look.label,
    )


def _dress_rows(axis, labels: list[str]) -> None:
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    for place in range(1, len(labels)):
        axis.axhline(place - 0.5, color="#CCCCCC", linewidth=0.6)


def _one_legend(figure, axes) -> None:
    handles = {}
    for axis in np.asarray(axes).flat:
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(3, len(handles)))


PANELS = [
    (protocol, round_trip) for protocol in ("reactiveExplicit", "symmetric") for round_trip in ROUND_TRIPS
]


def _experiment_3(all_results: list[Results]) -> Drawing:
    found = {one: _notifications(one) for one in all_results}
    if not any(found.values()):
        raise MissingData("no set has experiment 3")
    figure, axes = style.blank(4.6, 2, 2, sharex=True, sharey="row")
    numbers = []
    for axis, (protocol, round_trip) in zip(axes.flat, PANELS):
        base = 0.0 if is_cpu_bound(protocol) else float(round_trip.removesuffix("ms_rtt"))
        published = {
            clients: (one.mean - base, Interval(one.low - base, one.high - base))
            for clients, one in reference.EXPERIMENT_3[round_trip, protocol].items()
        }
        _line(axis, PAPER, published)
        for results, panels in found.items():
            cells = panels.get((protocol, round_trip), {})
            _line(
                axis,
                _look(results),
                {
                    clients: (one.mean - base, Interval(one.interval.low - base, one.interval.high - base))
                    for clients, one in cells.items()
                },
            )
            numbers += [one.n for one in cells.values()]
        shown = style.protocol(protocol).label.replace("Reactive ", "")
        axis.set_title(f"{shown}, {style.ROUND_TRIPS[round_trip]}", loc="left", fontweight="bold")
    # Only now: a limit set earlier would keep the scale of what was drawn until then.
    for axis in axes[:, 0]:
        axis.set_ylim(bottom=0)
    axes[0, 0].set_ylabel("Excess over the\nround trip (ms)")
    axes[1, 0].set_ylabel("Time until all are ready\n(measured ms)")
    for axis in axes[-1]:
        axis.set_xlabel("Clients")
    _one_legend(figure, axes)
    return _finished(
        "compare-exp3-notification",
        "Until all clients are ready: ours and the thesis's",
        "Explicit waits for its clients: shown is the excess over the round trip. Symmetric is the server's own work: "
        "only real backends are shown, in milliseconds of a clock.",
        figure,
        [counts(numbers, "a point"), "the thesis: n = 10"],
        all_results,
        (3,),
    )


def _notifications(results: Results) -> dict:
    cells: dict = {}
    for round_trip in ROUND_TRIPS:
        try:
            frame = results.notifications(round_trip)
        except MissingData:
            continue
        for (protocol, clients), group in frame.groupby(["protocol", "clients"]):
            one = summary(group["notification_ms"])
            if one.n and not (results.set.is_virtual and is_cpu_bound(protocol)):
                cells.setdefault((protocol, round_trip), {})[int(clients)] = one
    return cells


def _line(axis, look: style.Look, points: dict[int, Point]) -> None:
    if not points:
        return
    bounds = [style.error_bars(*point) for point in points.values()]
    axis.errorbar(
        list(points),
        [middle for middle, _ in points.values()],
        yerr=list(zip(*bounds)),
        color=look.colour,
        marker=look.marker,
        markersize=4,
        capsize=2,
        elinewidth=0.9,
        linewidth=1,
        label=look.label,
    )


def _agreement(all_results: list[Results]) -> Drawing:
    comparisons = compare(all_results)
    if not comparisons:
        raise MissingData("needs experiments 0, 1 or 3 of a simulated and of a real backend under one policy")
    items = list(dict.fromkeys(one.item for one in comparisons))
    pairs = list(dict.fromkeys((one.policy, one.backend) for one in comparisons))
    figure, axis = style.blank(1.3 + len(items) * (0.13 + 0.07 * len(pairs)))
    axis.axvspan(-1, 1, color="#E6F2EC", zorder=0)
    numbers = []
    for place, pair in enumerate(pairs):
        mine = [one for one in comparisons if (one.policy, one.backend) == pair]
        look = SET_LOOKS.get("/".join(pair), PAPER)
        named = style.Look(f"policy {pair[0]}, simulated and {pair[1]}", look.colour, look.marker)
        _row(axis, named, {one.item: one.difference for one in mine}, items, place, len(pairs))
        numbers += [min(len(one.real.values), len(one.simulated.values)) for one in mine]
    _dress_rows(axis, items)
    reach = max(1.5, max(abs(value) for one in comparisons for value in _ends(one)) * 1.2)
    axis.set_xscale("symlog", linthresh=1.0, linscale=1.5)
    axis.set_xlim(-reach, reach)
    axis.set_xticks([tick for tick in (-100, -10, -3, -1, -0.5, 0, 0.5, 1, 3, 10, 100) if abs(tick) < reach])
    axis.xaxis.set_major_formatter(style.plain_number)
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.axvline(0, color="#555555", linewidth=0.8)
    axis.set_xlabel("Difference of the medians, real less simulated, as a share of what is allowed")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return _finished(
        "agreement-simulated-real",
        "Simulated and real backends side by side",
        "What is allowed (shaded) is 10 % of the real median or 2 ms, whichever is more. Experiment 1 is compared by "
        f"its excess. Under n = {ENOUGH} no verdict is given.",
        figure,
        [counts(numbers, "a point")],
        all_results,
        (0, 1, 3),
    )


def _ends(one: Comparison) -> list[float]:
    middle, bounds = one.difference
    return [value for value in (middle, bounds.low, bounds.high) if value == value]
