"""The tables: n, mean with its interval, median, tails and failures of every group; the thesis's where it has one."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import agreement, bounds, details, reference, style
from .crowd import crowd
from .figures import comparison, experiment1, experiment2_container, experiment2_service, experiment3
from .figures import experiment4, experiments5and6, failures
from .problems import Findings, MissingData
from .results import Results
from .schema import LOSSES, ROUND_TRIPS
from .statistics import Interval, summary

Cell = str | float | int | None


@dataclass
class Table:
    """Rows of cells: numbers stay numbers until they are shown."""

    folder: str
    name: str
    family: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""

    def write(self, root: Path) -> Path:
        path = root / "tables" / self.folder / f"{self.name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows([[raw(cell) for cell in row] for row in self.rows])
        return path

    def displayed(self) -> tuple[list[str], list[list[Cell]]]:
        """Both ends of an interval in one cell, as a reader wants them; files keep them apart."""
        starts = [place for place, column in enumerate(self.columns) if column.endswith(FROM)]
        columns = [column.removesuffix(" from") for column in self.columns]
        return (
            [column for place, column in enumerate(columns) if place - 1 not in starts],
            [_joined(row, starts) for row in self.rows],
        )


FROM = "95 % CI from"


def _joined(row: list[Cell], starts: list[int]) -> list[Cell]:
    cells: list[Cell] = []
    for place, cell in enumerate(row):
        if place in starts:
            low, high = shown(cell), shown(row[place + 1])
            cells.append("–" if low == high == "–" else f"[{low}, {high}]")
        elif place - 1 not in starts:
            cells.append(cell)
    return cells


def raw(cell: Cell) -> str:
    if cell is None or cell != cell:
        return ""
    return f"{unsigned(cell, 4):.4f}".rstrip("0").rstrip(".") if isinstance(cell, float) else str(cell)


def shown(cell: Cell) -> str:
    """Hundredths below a hundred, since strategies differ by less than a tenth of a millisecond."""
    if cell is None or cell != cell:
        return "–"
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else cell
    decimals = 2 if abs(cell) < 100 else 1 if abs(cell) < 1000 else 0
    return f"{unsigned(cell, decimals):,.{decimals}f}"


def unsigned(value: float, decimals: int) -> float:
    """No minus before a zero."""
    return round(value, decimals) + 0.0


STATISTICS = ["n", "failed", "mean", "95 % CI from", "to", "median", "p95", "p99"]


def statistics(values, failures: int | None = None) -> list[Cell]:
    one = summary(values, failures)
    return [one.n, one.failures, one.mean, one.interval.low, one.interval.high, one.median, one.p95, one.p99]


def tables(results: Results, findings: Findings) -> list[Table]:
    """Every table that a set's files allow."""
    found = []
    for make in (
        _service_times,
        _bounds,
        _container_service,
        _container_phases,
        _notifications,
        _crowds,
        _hours,
        _details,
    ):
        try:
            found.append(make(results))
        except MissingData as reason:
            # The thesis has no such file and no such bounds, and nothing of it is missing.
            if make in (_details, _bounds) and results.set.is_published:
                continue
            findings.note_not_drawn(f"{results.set.label}: table{make.__name__.replace('_', ' ')}: {reason}")
    return found


def _collect(losses, rows_of) -> list[list[Cell]]:
    """Rows of all parts that are there; the reasons of the others, when there are none."""
    rows, reasons = [], []
    for loss in losses:
        try:
            rows += rows_of(loss)
        except MissingData as reason:
            reasons.append(str(reason))
    if not rows:
        raise MissingData("; ".join(dict.fromkeys(reasons)) or "no rows")
    return rows


def _service_times(results: Results) -> Table:
    unit = results.set.unit("ms")
    columns = ["loss", "strategy", *STATISTICS, "excess, mean", "excess, median", "off the ladder, most"]
    columns += [
        "thesis: mean",
        "thesis: 95 % CI from",
        "thesis: to",
        "thesis: failed",
        "thesis: excess, mean",
    ]
    return Table(
        results.set.slug,
        "exp1-service-times",
        experiment1.FAMILY,
        f"Service time of the first request after a move ({unit}); the thesis's in measured ms",
        columns,
        _collect(LOSSES, lambda loss: _service_rows(results, loss)),
        "Excess: over the median of experiment 0 of the same set under the same loss. Only excesses of a simulated set "
        "can be compared with the thesis's. Off the ladder: the distance of the farthest value from the nearest rung "
        "of the thesis's probe timeouts, for the strategies that climb it. With n under 100, p99 lies between the two "
        "longest values.",
    )


def _service_rows(results: Results, loss: str) -> list[list[Cell]]:
    try:
        plain = results.plain_ms(loss)
    except MissingData:
        plain = float("nan")
    rows = []
    for name, frame in experiment1.samples(results, loss).items():
        excess = (frame["service_ms"] - plain).dropna()
        rows.append(
            [
                style.LOSSES[loss],
                style.protocol(name).label,
                *statistics(frame["service_ms"]),
                float(excess.mean()),
                float(excess.median()),
                _off_ladder(results, name, excess),
                *_published(name, loss),
            ]
        )
    return rows


def _off_ladder(results: Results, protocol: str, excess) -> float | None:
    climbs = protocol == "reactiveExplicit" or protocol.startswith("poolOfAddresses")
    if results.set.policy != "thesis" or not climbs or excess.empty:
        return None
    return bounds.distance_from_ladder(excess)


def _published(protocol: str, loss: str) -> list[Cell]:
    one = reference.EXPERIMENT_1[loss].get(protocol)
    if one is None:
        return [None] * 5
    plain = reference.EXPERIMENT_1[loss]["quicBaseline"].median
    return [one.mean, one.low, one.high, one.failed, one.mean - plain]


def _bounds(results: Results) -> Table:
    if results.set.is_published:
        raise MissingData("bounds are for our own results")
    found = bounds.verdicts(results)
    return Table(
        results.set.slug,
        "exp1-bounds",
        experiment1.FAMILY,
        "What experiment 1 has to show under this policy",
        ["set", "what", "allowed", "found", "verdict"],
        [[one.about, one.what, one.allowed, one.found, one.word] for one in found],
        f"{bounds.EXCESS} {bounds.TAIL if results.set.policy == 'godwit' else ''}".strip()
        + " Not judged: too few runs for a verdict.",
    )


def _container_service(results: Results) -> Table:
    return Table(
        results.set.slug,
        "exp2-service-times",
        experiment2_service.FAMILY,
        f"Service time of the first request answered from the destination ({results.set.unit('ms')})",
        ["loss", "strategy", "technique", "MB added", *STATISTICS, "excess, mean", "excess, median"],
        _collect(LOSSES, lambda loss: _container_service_rows(results, loss)),
        "The published data of the thesis lacks these service times.",
    )


def _container_service_rows(results: Results, loss: str) -> list[list[Cell]]:
    moves = results.moves(loss, "exp2")
    try:
        plain = results.plain_ms(loss)
    except MissingData:
        plain = float("nan")
    rows = []
    for protocol in style.in_order(moves["protocol"], style.PROTOCOLS):
        for technique in style.in_order(moves["technique"], style.TECHNIQUES):
            part = moves[(moves["protocol"] == protocol) & (moves["technique"] == technique)]
            for inflation, cell in part.groupby("inflation"):
                excess = (cell["service_ms"] - plain).dropna()
                rows.append(
                    [
                        style.LOSSES[loss],
                        style.protocol(protocol).label,
                        style.technique(technique).label,
                        f"{inflation:g}",
                        *statistics(cell["service_ms"]),
                        float(excess.mean()),
                        float(excess.median()),
                    ]
                )
    return rows


def _container_phases(results: Results) -> Table:
    unit = results.set.unit("s")
    return Table(
        results.set.slug,
        "exp2-container",
        experiment2_container.FAMILY,
        f"Downtime and whole move ({unit}); the thesis's in measured s",
        [
            "case",
            "technique",
            "MB added",
            "n",
            "failed",
            "downtime, mean",
            "95 % CI from",
            "to",
            "median",
            "p95",
            "p99",
            "whole move, mean",
            "thesis: downtime, mean",
            "thesis: 95 % CI from",
            "thesis: to",
            "thesis: whole move, mean",
        ],
        _collect(range(3), lambda place: _phase_rows(results, place)),
        "Downtime: dump, its transfer and restore. The simulator's phases are drawn from the thesis's, so this shows "
        "that the model is the one meant, not a result.",
    )


def _phase_rows(results: Results, place: int) -> list[list[Cell]]:
    loss, experiment, case = list(experiment2_container.PLACES.values())[place]
    moves = results.container(loss, experiment)
    rows = []
    for technique in style.in_order(moves["technique"], style.TECHNIQUES):
        for inflation, cell in moves[moves["technique"] == technique].groupby("inflation"):
            n, failed, mean, low, high, *rest = statistics(cell["downtime_s"])
            published = reference.EXPERIMENT_2_DOWNTIME.get((technique, int(inflation)))
            theirs = published[place] if published else None
            rows.append(
                [
                    case,
                    style.technique(technique).label,
                    f"{inflation:g}",
                    n,
                    failed,
                    mean,
                    low,
                    high,
                    *rest,
                    float(cell["total_s"].mean()),
                ]
                + ([theirs.mean, theirs.low, theirs.high, theirs.total] if theirs else [None] * 4)
            )
    return rows


def _notifications(results: Results) -> Table:
    return Table(
        results.set.slug,
        "exp3-notification-times",
        experiment3.FAMILY,
        f"Time until all clients are ready ({results.set.unit('ms')}); the thesis's in measured ms",
        [
            "round trip",
            "strategy",
            "clients",
            *STATISTICS,
            "thesis: mean",
            "thesis: 95 % CI from",
            "thesis: to",
        ],
        _collect(ROUND_TRIPS, lambda round_trip: _notification_rows(results, round_trip)),
        "Failed: not every client became ready, or no time was measured."
        + (experiment3.CPU_BOUND if results.set.is_virtual else ""),
    )


def _notification_rows(results: Results, round_trip: str) -> list[list[Cell]]:
    frame = results.notifications(round_trip)
    rows = []
    for protocol in style.in_order(frame["protocol"], style.PROTOCOLS):
        for clients, cell in frame[frame["protocol"] == protocol].groupby("clients"):
            failed = int((cell["notification_ms"].isna() | ~cell["all_ready"]).sum())
            theirs = reference.EXPERIMENT_3.get((round_trip, protocol), {}).get(int(clients))
            rows.append(
                [style.ROUND_TRIPS[round_trip], style.protocol(protocol).label, int(clients)]
                + statistics(cell["notification_ms"], failed)
                + ([theirs.mean, theirs.low, theirs.high] if theirs else [None] * 3)
            )
    return rows


def _crowds(results: Results) -> Table:
    places = [(loss, round_trip) for loss in LOSSES for round_trip in ROUND_TRIPS]
    return Table(
        results.set.slug,
        "exp4-service-times",
        experiment4.FAMILY,
        f"A client's first request answered from the new address ({results.set.unit('ms')})",
        [
            "loss",
            "round trip",
            "strategy",
            "technique",
            "MB added",
            "interval (ms)",
            *STATISTICS,
            "median before",
        ],
        _collect(places, lambda place: _crowd_rows(results, *place)),
        "One value a client. Failed: the connection timed out, or no response came from the new address.",
    )


def _crowd_rows(results: Results, loss: str, round_trip: str) -> list[list[Cell]]:
    groups: dict[tuple, list] = {}
    for client in crowd(results, loss, round_trip).clients:
        key = (client.protocol, client.technique, client.inflation, client.interval_ms)
        groups.setdefault(key, []).append(client)
    rank = {name: place for place, name in enumerate(style.PROTOCOLS)} | {
        name: place for place, name in enumerate(style.TECHNIQUES)
    }
    ordered = sorted(
        groups.items(), key=lambda one: (rank.get(one[0][0], 99), rank.get(one[0][1], 99), *one[0][2:])
    )
    return [
        [
            style.LOSSES[loss],
            style.ROUND_TRIPS[round_trip],
            style.protocol(protocol).label,
            style.technique(technique).label,
            f"{inflation:g}",
            f"{pause:g}",
            *statistics([client.affected_ms for client in clients]),
            float(np.nanmedian([client.before_median_ms for client in clients])),
        ]
        for (protocol, technique, inflation, pause), clients in ordered
    ]


def _hours(results: Results) -> Table:
    return Table(
        results.set.slug,
        "exp5-exp6-hours",
        experiments5and6.FAMILY,
        f"An hour's requests ({results.set.unit('ms')})",
        ["experiment", "strategy", *STATISTICS, "longest", "longest across each handover (s)"],
        _collect(("exp5", "exp6"), lambda experiment: _hour_rows(results, experiment)),
        "The thesis's experiment 6 (measured ms): "
        + "; ".join(
            f"{name}: n = {n}, mean {mean}, median {median}, p95 {p95}, longest {most}"
            for name, n, mean, median, p95, most in reference.EXPERIMENT_6
        )
        + ". Longest across each handover: "
        + ", ".join(f"{value:.2f}" for value in reference.EXPERIMENT_6_HANDOVERS)
        + " s.",
    )


def _hour_rows(results: Results, experiment: str) -> list[list[Cell]]:
    rows = []
    for hour in results.hours(experiment):
        longest = [
            float(
                hour.service[(hour.sent <= moment + 1) & (hour.sent + hour.service >= moment - 1)].max(
                    initial=0
                )
            )
            for moment in hour.handovers
        ]
        label = style.protocol(hour.protocol).label if hour.protocol else "server stays"
        rows.append(
            [
                experiment.removeprefix("exp"),
                label,
                *statistics(hour.service * 1000, 0),
                float(hour.service.max() * 1000),
                ", ".join(f"{value:.2f}" for value in longest),
            ]
        )
    return rows


def _details(results: Results) -> Table:
    return Table(
        results.set.slug,
        "connections",
        failures.FAMILY,
        "How connections fared",
        details.COLUMNS,
        details.rows(results),
        "From our own files beside the thesis's.",
    )


def agreement_table(all_results: list[Results]) -> Table:
    comparisons = agreement.compare(all_results)
    if not comparisons:
        raise MissingData("needs experiments 0, 1 or 3 of a simulated and of a real backend under one policy")
    return Table(
        comparison.FOLDER,
        "agreement-simulated-real",
        comparison.FAMILY,
        "Simulated and real backends side by side",
        [
            "policy",
            "real backend",
            "what",
            "n simulated",
            "median (virtual ms)",
            "simulated: 95 % CI from",
            "simulated: to",
            "n real",
            "median (ms)",
            "real: 95 % CI from",
            "real: to",
            "allowed (ms)",
            "difference, of allowed",
            "verdict",
        ],
        [_agreement_row(one) for one in comparisons] + [_alone_row(one) for one in agreement.alone(all_results)],
        "Experiment 1 by its excess over the plain service time of the same backend. Allowed: 10 % of the real median "
        "or 2 ms. Experiment 3's Symmetric is the server's own work: it is taken from the real backend alone.",
    )


def _agreement_row(one: agreement.Comparison) -> list[Cell]:
    row: list[Cell] = [one.policy, one.backend, one.item]
    for sample in (one.simulated, one.real):
        bounds: Interval = sample.interval
        row += [len(sample.values), sample.median, bounds.low, bounds.high]
    return row + [one.allowed_ms, one.difference[0], one.verdict]


def _alone_row(one: agreement.Alone) -> list[Cell]:
    sample = one.real
    middle = [len(sample.values), sample.median, sample.interval.low, sample.interval.high]
    return [one.policy, one.backend, one.item, *[None] * 4, *middle, None, None, one.verdict]
