"""The thesis's own figures, drawn again from its published figures, to lie beside ours and never inside them."""

from collections.abc import Iterator

from .. import reference, style
from ..schema import LOSSES, ROUND_TRIPS
from ..statistics import METHOD, Interval, Summary
from . import experiment1, experiment2_container, experiment3
from .plan import Drawing

FOLDER = "reference"
# Our figure → the thesis's that lies beside it.
BESIDE = {
    "exp1-service-time-panels": "thesis-exp1-service-time-panels",
    "exp2-phases-absolute-no-loss": "thesis-exp2-phases-absolute",
    "exp2-bytes-absolute-no-loss": "thesis-exp2-bytes-absolute",
    "exp3-notification-both": "thesis-exp3-notification-both",
}


def drawings() -> Iterator[Drawing]:
    yield _finished(
        "thesis-exp1-service-time-panels",
        experiment1.FAMILY,
        "The thesis: service time after a migration",
        _experiment_1(),
        "n = 95 to 100 a bar",
    )
    for kind, names, parts, unit in (
        ("phases", reference.PHASES, experiment2_container.PHASES, "s"),
        ("bytes", reference.SIZES, experiment2_container.BYTES, "MB"),
    ):
        yield _finished(
            f"thesis-exp2-{kind}-absolute",
            experiment2_container.FAMILY,
            f"The thesis: {kind} of a container's move, no loss",
            _experiment_2(names, parts, unit),
            "n = 40 a bar",
            "means; 10 and 50 MB are not in our copy of its figures",
        )
    yield _finished(
        "thesis-exp3-notification-both",
        experiment3.FAMILY,
        "The thesis: time until all are ready",
        _experiment_3(),
        "n = 10 a point",
    )


def _finished(name: str, family: str, title: str, figure, samples: str, interval: str = METHOD) -> Drawing:
    line = f"{reference.SOURCE} · {samples} · {interval}"
    style.footer(figure, line)
    return Drawing(FOLDER, name, family, title, line[0].upper() + line[1:] + ".", figure)


def _experiment_1():
    figure, axes = style.blank(6.0, rows=2)
    names = style.in_order(reference.EXPERIMENT_1["nopacketloss"], style.PROTOCOLS)
    for axis, loss in zip(axes, LOSSES):
        found = {
            name: Summary(
                one.n, one.mean, Interval(one.low, one.high), one.median, one.p95, float("nan"), one.failed
            )
            for name, one in reference.EXPERIMENT_1[loss].items()
        }
        experiment1.draw_bars(axis, names, found)
        axis.set_title(style.LOSSES[loss], loc="left", fontweight="bold")
        axis.set_ylabel("Service time (ms)")
    return figure


def _experiment_2(names: tuple[str, ...], parts: dict, unit: str):
    start = len(reference.PHASES) if unit == "MB" else 0
    bars = []
    for (technique, inflation), values in reference.EXPERIMENT_2_PHASES.items():
        group = list(style.TECHNIQUES).index(technique)
        heights = dict(zip(names, values[start : start + len(names)]))
        x = group * (2 + experiment2_container.GAP) + (0 if inflation == 0 else 1)
        bars.append(experiment2_container.Bar(x, inflation, 40, heights, None))
    label = "Time (s)" if unit == "s" else "Bytes (MB)"
    return experiment2_container.draw_bars(bars, list(style.TECHNIQUES), 2, parts, label, share=False)


def _experiment_3():
    figure, axes = style.blank(3.5, 1, len(ROUND_TRIPS), sharey=True)
    for axis, round_trip in zip(axes, ROUND_TRIPS):
        for protocol in ("reactiveExplicit", "symmetric"):
            cells = reference.EXPERIMENT_3[round_trip, protocol]
            points = {clients: (one.mean, Interval(one.low, one.high)) for clients, one in cells.items()}
            experiment3.draw_line(axis, protocol, points)
        experiment3.dress(axis, round_trip, sorted(cells))
    axes[0].set_ylabel("Time until all are ready (ms)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
