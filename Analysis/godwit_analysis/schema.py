"""The columns of every file, with the form of their cells: results-format.md as data.

A column whose form is marked optional may have empty cells, which mean "not measured". Files of earlier versions of ours
don't have the columns that are marked late: there all of them are empty.
"""

from dataclasses import dataclass
from typing import Any, Callable

from . import cells


@dataclass(frozen=True)
class Column:
    name: str
    form: Callable[[str], Any]
    optional: bool = False
    late: bool = False


def columns(
    form: Callable[[str], Any], *names: str, optional: bool = False, late: bool = False
) -> list[Column]:
    return [Column(name, form, optional or late, late) for name in names]


RUN = columns(cells.whole, "experiment", "run")
REPETITION = columns(cells.whole, "repetition")
SEED = columns(cells.whole, "seed")
TECHNIQUE = columns(cells.word, "migrationTechnique")
INFLATION = columns(cells.number, "memoryFootprintInflation [MB]")
COMPRESSION = columns(cells.flag, "compressionEnabled")
DUMPS = columns(
    cells.number, "preDumpTime [s]", "preDumpTxTime [s]", "dumpTime [s]", "dumpTxTime [s]", optional=True
) + columns(cells.size, "dumpSize", "preDumpSize", optional=True)
RSYNC = columns(
    cells.size,
    "rsyncPreDumpTotalFileSize",
    "rsyncPreDumpTotalBytesSent",
    "rsyncPreDumpTransferRate",
    "rsyncDumpTotalFileSize",
    "rsyncDumpTotalBytesSent",
    "rsyncDumpTransferRate",
    optional=True,
) + columns(cells.number, "rsyncPreDumpCompressionSpeedup", "rsyncDumpCompressionSpeedup", optional=True)
LAZY_PAGES = columns(
    cells.number, "numberOfLazyPages", "lazyPagesTxTime [s]", "lazyPagesTxEndTime [s]", optional=True
)
FREQUENCY = columns(cells.number, "clientMigrationFrequency [min]")
REQUESTS = (
    columns(cells.numbers, "requestTimestamps [us]")
    + columns(cells.durations, "serviceTimes [us]")
    + columns(cells.words, "serverAddresses")
)
PROTOCOL = columns(cells.word, "protocol")
HANDOVERS = columns(cells.numbers, "handoverTimestamps [s]")

_SERVICE = (
    RUN
    + REPETITION
    + SEED
    + [
        Column("serviceTimes [us]", cells.durations, optional=True),
        Column("serverAddresses", cells.words, optional=True),
    ]
)
_SERVICE_AROUND_TRIGGER = _SERVICE + [
    Column("firstRequestAfterMigrationTriggered", cells.whole, optional=True)
]
_MIGRATION = RUN + REPETITION + SEED + TECHNIQUE + PROTOCOL + INFLATION + DUMPS + COMPRESSION + RSYNC
_RESTORE = [Column("restoreTime [s]", cells.real_time, optional=True)] + LAZY_PAGES
_MOVES_OF_A_HOST = (
    RUN
    + REPETITION
    + SEED
    + TECHNIQUE
    + COMPRESSION
    + columns(cells.numbers, "preDumpTimes [s]", "preDumpTxTimes [s]", "dumpTimes [s]", "dumpTxTimes [s]")
    + columns(cells.sizes, "dumpSizes", "preDumpSizes", "rsyncPreDumpTotalFileSizes")
    + columns(
        cells.sizes, "rsyncPreDumpTotalBytesSent", "rsyncPreDumpTransferRates", "rsyncDumpTotalFileSizes"
    )
    + columns(cells.sizes, "rsyncDumpTotalBytesSent", "rsyncDumpTransferRates")
    + columns(cells.words, "rsyncPreDumpCompressionSpeedups", "rsyncDumpCompressionSpeedups")
    + columns(cells.real_times, "restoreTimes [s]")
    + columns(cells.numbers, "lazyPagesTxTimes [s]", "lazyPagesTxEndTimes [s]", "numberOfLazyPages")
)

SCHEMAS: dict[str, list[Column]] = {
    "experiment0_service_times": _SERVICE + PROTOCOL,
    "experiment1_service_times": _SERVICE_AROUND_TRIGGER,
    "experiment1_migration_times": _MIGRATION,
    "experiment1_restore_times": RUN + REPETITION + _RESTORE,
    "experiment2_service_times": _SERVICE_AROUND_TRIGGER,
    "experiment2_migration_times": _MIGRATION,
    "experiment2_restore_times": RUN + REPETITION + _RESTORE,
    "experiment3_migration_notification_times": RUN
    + PROTOCOL
    + columns(cells.whole, "expectedNumberOfClients")
    + columns(cells.whole, "actualNumberOfClients", optional=True)
    + columns(cells.number, "migrationNotificationTime [us]", optional=True),
    "experiment4_service_times": RUN
    + columns(cells.whole, "seedClient", "numberOfClients")
    + PROTOCOL
    + columns(cells.number, "intervalBetweenRequests [ms]")
    + REQUESTS
    + columns(cells.words, "requestMethods")
    + columns(cells.numbers, "requestBodySizes [B]", "responseBodySizes [B]")
    + columns(cells.flag, "connectionEndedDueToTimeout")
    + columns(
        cells.number, "migrationNotificationTimestamp [s]", "migrationTriggerTimestamp [s]", optional=True
    ),
    "experiment4_migration_times": RUN
    + columns(cells.whole, "seedServer")
    + TECHNIQUE
    + INFLATION
    + COMPRESSION
    + DUMPS
    + RSYNC,
    "experiment4_restore_times": RUN + _RESTORE,
    "experiment5_first_source": _MOVES_OF_A_HOST,
    "experiment5_first_destination": _MOVES_OF_A_HOST,
    "experiment5_service_times": RUN
    + REPETITION
    + SEED
    + PROTOCOL
    + FREQUENCY
    + REQUESTS
    + HANDOVERS
    + columns(cells.numbers, "migrationNotificationTimestamps [s]", "migrationTriggerTimestamps [s]"),
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
