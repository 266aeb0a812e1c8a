"""The values behind the figures: files of a set joined, failures kept, first responses found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from . import tables
from .layout import EXTRA, ResultSet
from .problems import DataError, Findings, MissingData
from .schema import EXPECTED, LOSSES

# Names for what the files call at length.
SHORT = {
    "migrationTechnique": "technique",
    "memoryFootprintInflation [MB]": "inflation",
    "serviceTimes [us]": "service_us",
    "serverAddresses": "addresses",
    "firstRequestAfterMigrationTriggered": "first_request",
    "preDumpTime [s]": "pre_dump_s",
    "preDumpTxTime [s]": "pre_dump_tx_s",
    "dumpTime [s]": "dump_s",
    "dumpTxTime [s]": "dump_tx_s",
    "restoreTime [s]": "restore_s",
    "lazyPagesTxTime [s]": "lazy_tx_s",
    "rsyncPreDumpTotalFileSize": "pre_dump_mb",
    "rsyncDumpTotalFileSize": "dump_mb",
    "rsyncPreDumpTotalBytesSent": "pre_dump_sent_mb",
    "rsyncDumpTotalBytesSent": "dump_sent_mb",
    "numberOfLazyPages": "lazy_pages",
}
LAZY_PAGE_MB = 4096e-6
KEYS = ["experiment", "run", "repetition", "seed"]


@dataclass(frozen=True)
class First:
    """The first response from a new address after the trigger: its number, counted from 0, and service time."""

    index: int
    service_us: float


def first_from_new_address(service: np.ndarray, addresses: list[str], start: int) -> First | None:
    """The request that noticed the move: the first from `start` on whose response came from elsewhere than before."""
    old = addresses[0] if start > 0 else None
    for index in range(start, len(addresses)):
        if addresses[index] != old:
            return First(index, float(service[index]))
    return None


def is_cpu_bound(protocol: str) -> bool:
    """Symmetric strategies ask no client before a move: that time is what the server's processor takes."""
    return "ymmetric" in protocol


class Results:
    """One result set, read once. Broken files are reported once and count as missing from then on."""

    def __init__(self, result_set: ResultSet, findings: Findings):
        self.set = result_set
        self.findings = findings
        self._kept: dict[tuple, object] = {}

    # Files

    def note_missing_files(self) -> None:
        """Says which files of a full set are not there, a whole experiment as one line."""
        absent: dict[tuple[str, str], list[str]] = {}
        expected: dict[tuple[str, str], int] = {}
        for loss, folder, name in EXPECTED:
            expected[loss, folder] = expected.get((loss, folder), 0) + 1
            if not self.set.find(loss, folder, name):
                absent.setdefault((loss, folder), []).append(name)
        for (loss, folder), names in absent.items():
            place = f"{self.set.label}: {loss}/{folder}"
            if len(names) == expected[loss, folder]:
                self.findings.note_missing(f"{place}: nothing there")
            else:
                for name in names:
                    self.findings.note_missing(f"{place}/{name}.csv (or .zip, .gz)")

    def paths(self, loss: str, experiment: str, name: str) -> list[Path]:
        found = self.set.find(loss, experiment, name)
        if not found:
            raise MissingData(f"{loss}/{experiment}/{name}.csv is missing")
        return found

    def once(self, key: tuple, read: Callable[[], object]):
        """The result or the reason why there is none, remembered: seven figures may want the same file."""
        if key not in self._kept:
            try:
                self._kept[key] = read()
            except DataError as error:
                self.findings.note_broken(str(error))
                self._kept[key] = MissingData(f"{error}")
            except MissingData as error:
                self._kept[key] = error
        kept = self._kept[key]
        if isinstance(kept, MissingData):
            raise kept
        return kept

    # Experiment 0: the plain service time

    def plain_runs(self, loss: str) -> pd.DataFrame:
        return self.once(("plain", loss), lambda: self._read_plain(loss))

    def _read_plain(self, loss: str) -> pd.DataFrame:
        name = "experiment0_service_times"
        frames = [_single(path, tables.read(path, name)) for path in self.paths(loss, "exp0", name)]
        return pd.concat(frames, ignore_index=True)

    def plain_ms(self, loss: str) -> float:
        """The median of experiment 0 under the same loss: a mean would carry the odd retransmission along."""
        plain = self.plain_runs(loss)["service_ms"].dropna()
        if plain.empty:
            raise MissingData(f"{loss}/exp0 has no service time")
        return float(plain.median())

    # Experiments 1 and 2: a server moves under one client

    def moves(self, loss: str, experiment: str) -> pd.DataFrame:
        """Runs with strategy, phases and the service time of the first request that noticed the move."""
        return self.once(("moves", loss, experiment), lambda: self._read_moves(loss, experiment))

    def container(self, loss: str, experiment: str) -> pd.DataFrame:
        """Phases and sizes alone, which are there even where service times are not."""
        return self.once(("container", loss, experiment), lambda: self._read_container(loss, experiment))

    def _read_container(self, loss: str, experiment: str) -> pd.DataFrame:
        number = experiment[3]
        frames = []
        for path in self.paths(loss, experiment, f"experiment{number}_migration_times"):
            merged = self._with_partner(path, number, "migration", "restore", KEYS[:3])
            frames.append(_with_totals(merged))
        return pd.concat(frames, ignore_index=True)

    def _read_moves(self, loss: str, experiment: str) -> pd.DataFrame:
        number = experiment[3]
        frames = []
        for path in self.paths(loss, experiment, f"experiment{number}_service_times"):
            merged = self._with_partner(path, number, "service", "migration", KEYS)
            merged = _single(path, merged) if number == "1" else _affected(path, merged)
            frames.append(merged.assign(extra=EXTRA in path.parts))
        frame = pd.concat(frames, ignore_index=True)
        if frame.empty:
            raise MissingData(f"{loss}/{experiment} has no runs")
        return frame

    def _with_partner(
        self, path: Path, number: str, kind: str, other_kind: str, keys: list[str]
    ) -> pd.DataFrame:
        """A file's rows, each with the one of the file beside it that is about the same run."""
        name, other_name = (f"experiment{number}_{one}_times" for one in (kind, other_kind))
        other = tables.find(path.parent, other_name)
        if other is None:
            raise MissingData(f"{path.parent.parent.name}/{path.parent.name}/{other_name}.csv is missing")
        left = tables.read(path, name).rename(columns=SHORT)
        right = tables.read(other, other_name).rename(columns=SHORT)
        return self._merged(path, left, other, right, keys)

    def _merged(self, path: Path, left: pd.DataFrame, other: Path, right: pd.DataFrame, keys: list[str]):
        for file, frame in ((path, left), (other, right)):
            twice = frame[frame.duplicated(keys)]
            if not twice.empty:
                raise DataError(file, f"has the same {', '.join(keys)} twice", row=int(twice["row"].iloc[0]))
        spare = [
            column
            for column in right.columns
            if column in left.columns and column not in keys and column != "row"
        ]
        right = right.drop(columns=["row", *spare])
        merged = left.merge(right, on=keys, how="left", indicator="partner", validate="one_to_one")
        alone = merged[merged["partner"] == "left_only"]
        if not alone.empty:
            first = int(alone["row"].iloc[0])
            raise DataError(path, f"{other.name} has no row with its {', '.join(keys)}", row=first)
        if len(right) > len(left):
            self.findings.note(
                f"{other}: {len(right) - len(left)} more rows than {path.name}; they are left out"
            )
        return merged.drop(columns="partner")

    # Experiment 3

    def notifications(self, round_trip: str) -> pd.DataFrame:
        return self.once(("notifications", round_trip), lambda: self._read_notifications(round_trip))

    def _read_notifications(self, round_trip: str) -> pd.DataFrame:
        name = "experiment3_migration_notification_times"
        frame = pd.concat(
            [tables.read(path, name) for path in self.paths("nopacketloss", f"exp3/{round_trip}", name)],
            ignore_index=True,
        )
        if frame.empty:
            raise MissingData(f"nopacketloss/exp3/{round_trip} has no rows")
        return frame.assign(
            clients=frame["expectedNumberOfClients"],
            notification_ms=frame["migrationNotificationTime [us]"] / 1000,
            all_ready=frame["expectedNumberOfClients"] == frame["actualNumberOfClients"],
        )

    # Experiments 5 and 6

    def hours(self, experiment: str) -> list["Hour"]:
        return self.once(("hours", experiment), lambda: self._read_hours(experiment))

    def _read_hours(self, experiment: str) -> list["Hour"]:
        name = f"experiment{experiment[3]}_service_times"
        hours = [
            Hour.of(row, experiment)
            for path in self.paths("packetloss", experiment, name)
            for row in tables.rows(path, name)
        ]
        if not hours:
            raise MissingData(f"packetloss/{experiment} has no rows")
        return hours

    # What captions say

    @cached_property
    def known_losses(self) -> list[str]:
        return [loss for loss in LOSSES if (self.set.root / loss).is_dir()]


def _single(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Experiments 0 and 1 record one request a run."""
    frame = frame.rename(columns=SHORT)
    values = []
    for row, service in zip(frame["row"], frame["service_us"]):
        if service is not None and len(service) != 1:
            raise DataError(
                path, f"has {len(service)} elements, 1 belongs there", int(row), "serviceTimes [us]"
            )
        values.append(float("nan") if service is None else float(service[0]) / 1000)
    return frame.assign(service_ms=np.array(values, dtype=float), failed=np.isnan(values))


def _affected(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Experiment 2 records every request; the one that counts is the first answered from the new address."""
    indices, values = [], []
    for row in frame.itertuples():
        if row.service_us is None:
            indices.append(float("nan"))
            values.append(float("nan"))
            continue
        first = _first_of(path, row)
        indices.append(first.index + 1)
        values.append(first.service_us / 1000)
    return frame.assign(
        affected_request=np.array(indices, dtype=float),
        service_ms=np.array(values, dtype=float),
        failed=np.isnan(values),
    )


def _first_of(path: Path, row) -> First:
    if row.addresses is None or len(row.addresses) != len(row.service_us):
        count = 0 if row.addresses is None else len(row.addresses)
        raise DataError(
            path,
            f"has {count} elements, serviceTimes [us] has {len(row.service_us)}",
            int(row.row),
            "serverAddresses",
        )
    if np.isnan(row.first_request):
        raise DataError(
            path, "is empty although service times are there", int(row.row), SHORT_BACK["first_request"]
        )
    first = first_from_new_address(row.service_us, row.addresses, int(row.first_request) - 1)
    if first is None:
        raise DataError(
            path, "has no response from a new address after the trigger", int(row.row), "serverAddresses"
        )
    return first


SHORT_BACK = {short: name for name, short in SHORT.items()}


def _with_totals(frame: pd.DataFrame) -> pd.DataFrame:
    downtime = frame["dump_s"] + frame["dump_tx_s"] + frame["restore_s"]
    around = frame[["pre_dump_s", "pre_dump_tx_s", "lazy_tx_s"]].fillna(0).sum(axis=1)
    return frame.assign(
        downtime_s=downtime, total_s=downtime + around, lazy_mb=frame["lazy_pages"] * LAZY_PAGE_MB
    )


@dataclass(frozen=True)
class Hour:
    """A run of experiment 5 or 6; times in seconds since its first request, service times in seconds."""

    experiment: str
    protocol: str | None
    seed: int
    sent: np.ndarray
    service: np.ndarray
    addresses: list[str]
    handovers: np.ndarray
    triggers: np.ndarray

    @staticmethod
    def of(row: tables.RawRow, experiment: str) -> "Hour":
        sent, service = row["requestTimestamps [us]"], row["serviceTimes [us]"]
        addresses = row["serverAddresses"]
        same_length(
            row, len(service), {"requestTimestamps [us]": len(sent), "serverAddresses": len(addresses)}
        )
        start = sent[0] / 1e6
        moves = experiment == "exp5"
        return Hour(
            experiment,
            row["protocol"] if moves else None,
            row["seed"],
            sent / 1e6 - start,
            service / 1e6,
            addresses,
            row["handoverTimestamps [s]"] - start,
            row["migrationTriggerTimestamps [s]"] - start if moves else np.array([]),
        )


def same_length(row: tables.RawRow, length: int, others: dict[str, int]) -> None:
    """Lists of one row tell of the same requests."""
    if length == 0:
        raise row.error("serviceTimes [us]", "is an empty list")
    for column, other in others.items():
        if other != length:
            raise row.error(column, f"has {other} elements, serviceTimes [us] has {length}")
