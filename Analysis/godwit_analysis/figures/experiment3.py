"""Experiment 3: how long it takes until every client is ready, by the number of clients."""

from .. import style
from ..problems import MissingData
from ..results import Results, is_cpu_bound
from ..schema import ROUND_TRIPS
from ..statistics import Interval, summary
from .plan import Case, Drawn, Plan, counts, singles_and_panels

FAMILY = "Experiment 3: until all clients are ready"
TEXT = "Time from the notice of an imminent migration to the last client being ready, measured at the server; means."
CPU_BOUND = (
    " Symmetric waits for no client: its time is the server's own work, which costs no virtual time. Read it off a "
    "real backend."
)


def catalogue(results: Results) -> list[Plan]:
    text = TEXT + (CPU_BOUND if results.set.is_virtual else "")
    cases = [
        Case(trip.removesuffix("_rtt"), f"{style.ROUND_TRIPS[trip]} round trip", trip) for trip in ROUND_TRIPS
    ]
    both = Case("both", "both round trips", "")
    title = "Time until all are ready"
    return singles_and_panels("exp3-notification", FAMILY, title, text, cases, both, _draw)


def _draw(results: Results, round_trips: list[str]) -> Drawn:
    frames = {round_trip: results.notifications(round_trip) for round_trip in round_trips}
    height = 3.3 if len(round_trips) == 1 else 3.5
    figure, axes = style.blank(height, 1, len(round_trips), squeeze=False, sharey=True)
    numbers = []
    for axis, (round_trip, frame) in zip(axes[0], frames.items()):
        numbers += _lines(axis, results, frame)
        dress(axis, round_trip, sorted(frame["clients"].unique()))
    axes[0, 0].set_ylabel(f"Time until all are ready ({results.set.unit('ms')})")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return Drawn(figure, counts(numbers, "a point"))


def _lines(axis, results: Results, frame) -> list[int]:
    numbers = []
    for name in style.in_order(frame["protocol"], style.PROTOCOLS):
        part = frame[frame["protocol"] == name]
        cells = {clients: summary(group["notification_ms"]) for clients, group in part.groupby("clients")}
        cells = {clients: one for clients, one in cells.items() if one.n and one.mean > 0}
        if not cells:
            continue
        marked = " (not a measurement)" if results.set.is_virtual and is_cpu_bound(name) else ""
        draw_line(axis, name, {clients: (one.mean, one.interval) for clients, one in cells.items()}, marked)
        numbers += [one.n for one in cells.values()]
    if not numbers:
        raise MissingData("no notification time was measured")
    return numbers


def draw_line(axis, protocol: str, points: dict[int, tuple[float, Interval]], marked: str = "") -> None:
    """Means with intervals, by the number of clients."""
    look = style.protocol(protocol)
    bounds = [style.error_bars(mean, interval) for mean, interval in points.values()]
    axis.errorbar(
        list(points),
        [mean for mean, _ in points.values()],
        yerr=list(zip(*bounds)),
        color=look.colour,
        marker=look.marker,
        linestyle=look.line,
        markersize=4,
        capsize=2.5,
        elinewidth=0.9,
        label=look.label + marked,
    )
    for clients, (mean, _) in points.items():
        axis.annotate(
            style.short(mean),
            (clients, mean),
            textcoords="offset points",
            xytext=(0, 6),
            ha="center",
            fontsize=7,
        )


def dress(axis, round_trip: str, clients: list[int]) -> None:
    axis.set_title(f"{style.ROUND_TRIPS[round_trip]} round trip", loc="left", fontweight="bold")
    axis.set_xlabel("Clients")
    style.logarithmic(axis)
    axis.margins(y=0.14)
    axis.set_xticks(clients)
    axis.set_xlim(min(0, clients[0]) - 2, clients[-1] * 1.08)
