"""The columns of every file, with the form of their cells: results-format.md as data.

A column whose form is marked optional may have empty cells, which mean "not measured".
"""

from dataclasses import dataclass
from typing import Any, Callable

from . import cells


@dataclass(frozen=True)
class Column:
    name: str
    form: Callable[[str], Any]
    optional: bool = False


def _columns(form: Callable[[str], Any], *names: str, optional: bool = False) -> list[Column]:
    return [Column(name, form, optional) for name in names]


RUN = _columns(cells.whole, "experiment", "run")
REPETITION = _columns(cells.whole, "repetition")
SEED = _columns(cells.whole, "seed")
TECHNIQUE = _columns(cells.word, "migrationTechnique")
INFLATION = _columns(cells.number, "memoryFootprintInflation [MB]")
COMPRESSION = _columns(cells.flag, "compressionEnabled")
DUMPS = _columns(
    cells.number, "preDumpTime [s]", "preDumpTxTime [s]", "dumpTime [s]", "dumpTxTime [s]", optional=True
) + _columns(cells.size, "dumpSize", "preDumpSize", optional=True)
RSYNC = (
    _columns(
        cells.size,
        "rsyncPreDumpTotalFileSize", "rsyncPreDumpTotalBytesSent", "rsyncPreDumpTransferRate",
        "rsyncDumpTotalFileSize", "rsyncDumpTotalBytesSent", "rsyncDumpTransferRate",
        optional=True,
    )
    + _columns(cells.number, "rsyncPreDumpCompressionSpeedup", "rsyncDumpCompressionSpeedup", optional=True)
)
LAZY_PAGES = _columns(
    cells.number, "numberOfLazyPages", "lazyPagesTxTime [s]", "lazyPagesTxEndTime [s]", optional=True
)
FREQUENCY = _columns(cells.number, "clientMigrationFrequency [min]")
REQUESTS = (
    _columns(cells.numbers, "requestTimestamps [us]")
    + _columns(cells.durations, "serviceTimes [us]")
    + _columns(cells.words, "serverAddresses")
)
PROTOCOL = _columns(cells.word, "protocol")
HANDOVERS = _columns(cells.numbers, "handoverTimestamps [s]")

_SERVICE = RUN + REPETITION + SEED + [
    Column("serviceTimes [us]", cells.durations, optional=True),
    Column("serverAddresses", cells.words, optional=True),
]
_SERVICE_AROUND_TRIGGER = _SERVICE + [Column("firstRequestAfterMigrationTriggered", cells.whole, optional=True)]
_MIGRATION = RUN + REPETITION + SEED + TECHNIQUE + PROTOCOL + INFLATION + DUMPS + COMPRESSION + RSYNC
_RESTORE = [Column("restoreTime [s]", cells.real_time, optional=True)] + LAZY_PAGES
_MOVES_OF_A_HOST = (
    RUN + REPETITION + SEED + TECHNIQUE + COMPRESSION
    + _columns(cells.numbers, "preDumpTimes [s]", "preDumpTxTimes [s]", "dumpTimes [s]", "dumpTxTimes [s]")
    + _columns(cells.sizes, "dumpSizes", "preDumpSizes", "rsyncPreDumpTotalFileSizes")
    + _columns(cells.sizes, "rsyncPreDumpTotalBytesSent", "rsyncPreDumpTransferRates", "rsyncDumpTotalFileSizes")
    + _columns(cells.sizes, "rsyncDumpTotalBytesSent", "rsyncDumpTransferRates")
    + _columns(cells.words, "rsyncPreDumpCompressionSpeedups", "rsyncDumpCompressionSpeedups")
    + _columns(cells.real_times, "restoreTimes [s]")
    + _columns(cells.numbers, "lazyPagesTxTimes [s]", "lazyPagesTxEndTimes [s]", "numberOfLazyPages")
)

SCHEMAS: dict[str, list[Column]] = {
    "experiment0_service_times": _SERVICE + PROTOCOL,
    "experiment1_service_times": _SERVICE_AROUND_TRIGGER,
    "experiment1_migration_times": _MIGRATION,
    "experiment1_restore_times": RUN + REPETITION + _RESTORE,
    "experiment2_service_times": _SERVICE_AROUND_TRIGGER,
    "experiment2_migration_times": _MIGRATION,
    "experiment2_restore_times": RUN + REPETITION + _RESTORE,
    "experiment3_migration_notification_times": RUN + PROTOCOL
    + _columns(cells.whole, "expectedNumberOfClients")
    + _columns(cells.whole, "actualNumberOfClients", optional=True)
    + _columns(cells.number, "migrationNotificationTime [us]", optional=True),
    "experiment4_service_times": RUN
    + _columns(cells.whole, "seedClient", "numberOfClients")
    + PROTOCOL
    + _columns(cells.number, "intervalBetweenRequests [ms]")
    + REQUESTS
    + _columns(cells.words, "requestMethods")
    + _columns(cells.numbers, "requestBodySizes [B]", "responseBodySizes [B]")
    + _columns(cells.flag, "connectionEndedDueToTimeout")
    + _columns(cells.number, "migrationNotificationTimestamp [s]", "migrationTriggerTimestamp [s]", optional=True),
    "experiment4_migration_times": RUN + _columns(cells.whole, "seedServer")
    + TECHNIQUE + INFLATION + COMPRESSION + DUMPS + RSYNC,
    "experiment4_restore_times": RUN + _RESTORE,
    "experiment5_first_source": _MOVES_OF_A_HOST,
    "experiment5_first_destination": _MOVES_OF_A_HOST,
    "experiment5_service_times": RUN + REPETITION + SEED + PROTOCOL + FREQUENCY + REQUESTS + HANDOVERS
    + _columns(cells.numbers, "migrationNotificationTimestamps [s]", "migrationTriggerTimestamps [s]"),
    "experiment6_service_times": RUN + REPETITION + SEED + FREQUENCY + REQUESTS + HANDOVERS,
    "experiment6_server": RUN + REPETITION + SEED,
}

LOSSES = ("nopacketloss", "packetloss")
ROUND_TRIPS = ("18ms_rtt", "122ms_rtt")


def _expected() -> list[tuple[str, str, str]]:
    places: list[tuple[str, str, str]] = []
    for loss in LOSSES:
        places.append((loss, "exp0", "experiment0_service_times"))
        for experiment in (1, 2):
            for part in ("service", "migration", "restore"):
                places.append((loss, f"exp{experiment}", f"experiment{experiment}_{part}_times"))
        for round_trip in ROUND_TRIPS:
            for part in ("service", "migration", "restore"):
                places.append((loss, f"exp4/{round_trip}", f"experiment4_{part}_times"))
    for part in ("service", "migration", "restore"):
        places.append(("nopacketloss", "exp2/compressionenabled", f"experiment2_{part}_times"))
    for round_trip in ROUND_TRIPS:
        places.append(("nopacketloss", f"exp3/{round_trip}", "experiment3_migration_notification_times"))
    for name in ("first_source", "first_destination", "service_times"):
        places.append(("packetloss", "exp5", f"experiment5_{name}"))
    for name in ("service_times", "server"):
        places.append(("packetloss", "exp6", f"experiment6_{name}"))
    return places


# Where a full result set has which file: (loss, folder, name without ending).
EXPECTED = _expected()
