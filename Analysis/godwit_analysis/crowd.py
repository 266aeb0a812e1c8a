"""Experiment 4: thirty clients. Its files are read row by row, because a full one has hundreds of megabytes."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from . import tables
from .problems import DataError, MissingData
from .results import Results, first_from_new_address, same_length

# Seconds around the trigger that figures may show; the rest is forgotten while reading.
TRACE_BEFORE, TRACE_AFTER = 75.0, 40.0
# Requests for the figures of size and service time: those before the first client can notice a move.
SIZES_UNTIL = 90.0
SIZES_MOST = 4000


@dataclass(frozen=True)
class Client:
    """A client of a session: what it had to wait for, and the requests that figures show."""

    run: int
    seed: int
    protocol: str
    technique: str
    inflation: float
    interval_ms: float
    timed_out: bool
    trigger: float
    requests: int
    affected_ms: float
    before_median_ms: float
    sent: np.ndarray
    service: np.ndarray


@dataclass(frozen=True)
class Sizes:
    """Bytes and seconds of back-to-back requests of one method."""

    size: np.ndarray
    service: np.ndarray
    total: int


@dataclass(frozen=True)
class Crowd:
    clients: list[Client]
    sizes: dict[str, Sizes]
    clients_per_run: int


def crowd(results: Results, loss: str, round_trip: str) -> Crowd:
    return results.once(("crowd", loss, round_trip), lambda: _read(results, loss, round_trip))


def _read(results: Results, loss: str, round_trip: str) -> Crowd:
    clients: list[Client] = []
    sizes: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"GET": [], "POST": []}
    per_run = 0
    for path in results.paths(loss, f"exp4/{round_trip}", "experiment4_service_times"):
        partner = tables.find(path.parent, "experiment4_migration_times")
        if partner is None:
            raise MissingData(f"{loss}/exp4/{round_trip}/experiment4_migration_times.csv is missing")
        per_run = max(per_run, _read_file(path, partner, clients, sizes))
    if not clients:
        raise MissingData(f"{loss}/exp4/{round_trip} has no rows")
    return Crowd(clients, {method: _sampled(parts) for method, parts in sizes.items()}, per_run)


def _read_file(path: Path, partner: Path, clients: list[Client], sizes: dict) -> int:
    """The thesis's script joins by row number, and so must we."""
    per_run, starts = 0, {}
    services = tables.rows(path, "experiment4_service_times")
    moves = tables.rows(partner, "experiment4_migration_times")
    for service, move in zip_longest(services, moves):
        if service is None or move is None:
            longer = path if move is None else partner
            raise DataError(longer, f"has more rows than {(partner if move is None else path).name}")
        if service["run"] != move["run"]:
            raise service.error("run", f"is {service['run']}, {move['run']} in {partner.name}")
        client, parts = _client(service, move, starts)
        clients.append(client)
        per_run = max(per_run, service["numberOfClients"])
        for method, part in parts.items():
            sizes[method].append(part)
    return per_run


def _client(service: tables.RawRow, move: tables.RawRow, starts: dict[int, float]) -> tuple[Client, dict]:
    sent, waited = service["requestTimestamps [us]"] / 1e6, service["serviceTimes [us]"] / 1e6
    addresses, methods = service["serverAddresses"], service["requestMethods"]
    if len(waited) == 0 and service["connectionEndedDueToTimeout"]:
        return _stillborn(service, move), {}
    same_length(
        service, len(waited), {"requestTimestamps [us]": len(sent), "serverAddresses": len(addresses)}
    )
    # Session time begins with the first request of its first client, whose row comes first.
    start = starts.setdefault(service["run"], float(sent[0]))
    sent = sent - start
    # A run that broke off before its move has no trigger, and a client that waited for it has failed.
    stamp = service["migrationTriggerTimestamp [s]"]
    trigger = float("nan") if stamp is None else stamp - start
    timed_out = service["connectionEndedDueToTimeout"]
    affected, before = _affected(sent, waited, addresses, trigger)
    # Without a trigger both comparisons are false, and nothing is kept.
    around = (sent >= trigger - TRACE_BEFORE) & (sent <= trigger + TRACE_AFTER)
    kept = around & (move["memoryFootprintInflation [MB]"] == 0)
    client = Client(
        service["run"],
        service["seedClient"],
        service["protocol"],
        move["migrationTechnique"],
        move["memoryFootprintInflation [MB]"],
        service["intervalBetweenRequests [ms]"],
        timed_out,
        float(trigger),
        len(waited),
        float("nan") if timed_out else affected,
        before,
        sent[kept].astype(np.float32),
        waited[kept].astype(np.float32),
    )
    back_to_back = service["intervalBetweenRequests [ms]"] == 0
    return client, _sizes(service, sent, waited, methods, trigger) if back_to_back else {}


def _stillborn(service: tables.RawRow, move: tables.RawRow) -> Client:
    """A client whose connection never carried a response keeps its row."""
    nothing, gap = np.array([], dtype=np.float32), float("nan")
    return Client(
        service["run"],
        service["seedClient"],
        service["protocol"],
        move["migrationTechnique"],
        move["memoryFootprintInflation [MB]"],
        service["intervalBetweenRequests [ms]"],
        True,
        gap,
        0,
        gap,
        gap,
        nothing,
        nothing,
    )


def _affected(sent, waited, addresses, trigger) -> tuple[float, float]:
    """Milliseconds of the first request answered from the new address, and of the median request before."""
    if np.isnan(trigger):
        return float("nan"), float(np.median(waited)) * 1000
    before = waited[sent < trigger]
    start = int(np.searchsorted(sent + waited, trigger))
    first = first_from_new_address(waited, addresses, max(start, 1)) if len(before) else None
    return (
        first.service_us * 1000 if first is not None else float("nan"),
        float(np.median(before)) * 1000 if len(before) else float("nan"),
    )


def _sizes(
    service: tables.RawRow, sent: np.ndarray, waited: np.ndarray, methods: list[str], trigger: float
) -> dict:
    bodies = {"GET": service["responseBodySizes [B]"], "POST": service["requestBodySizes [B]"]}
    same_length(service, len(waited), {"requestMethods": len(methods)})
    same_length(
        service,
        len(waited),
        {"responseBodySizes [B]": len(bodies["GET"]), "requestBodySizes [B]": len(bodies["POST"])},
    )
    early, chosen = (sent <= SIZES_UNTIL) & ~(sent + waited >= trigger), np.array(methods)
    return {
        method: (body[early & (chosen == method)], waited[early & (chosen == method)])
        for method, body in bodies.items()
    }


def _sampled(parts: list[tuple[np.ndarray, np.ndarray]]) -> Sizes:
    """Evenly spaced requests in order of size, and the largest hundred of them all: those are rare and the point."""
    size = np.concatenate([part[0] for part in parts]) if parts else np.array([])
    service = np.concatenate([part[1] for part in parts]) if parts else np.array([])
    order = np.lexsort((service, size))
    if len(order) > SIZES_MOST:
        spread = np.linspace(0, len(order) - 1, SIZES_MOST - 100).astype(int)
        order = order[np.unique(np.concatenate([spread, np.arange(len(order) - 100, len(order))]))]
    return Sizes(size[order], service[order], len(size))
