"""Invents a full result set: every file, every column, in the thesis's own forms. The same every time.

The numbers follow the published ones (means, spreads, the ladder of timeouts, failures under loss), thinned where a
real run would have thousands of requests. Nothing here is a result.
"""

import csv
import gzip
import io
import json
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

SOURCE, DESTINATION = "192.168.1.104:6666", "192.168.1.105:6666"
EPOCH_US = 1_663_097_560_000_000
TECHNIQUES = ("cold", "preCopy", "postCopy", "hybrid")
INFLATIONS = (0, 10, 50, 100)
EXPLICIT = ("proactiveExplicit", "reactiveExplicit")
EXPERIMENT_1 = (*EXPLICIT, "poolOfAddresses1", "poolOfAddresses2", "poolOfAddresses3", "symmetric")
EXPERIMENT_2 = (*EXPLICIT, "poolOfAddresses3", "symmetric")
EXPERIMENT_4 = ("reactiveExplicit", "poolOfAddresses", "symmetric")
LADDER_MS = [267 + 100 * (2**k - 2) for k in range(1, 9)]
RESTORE = ["restoreTime [s]", "numberOfLazyPages", "lazyPagesTxTime [s]", "lazyPagesTxEndTime [s]"]
DUMPS = ["preDumpTime [s]", "preDumpTxTime [s]", "dumpTime [s]", "dumpTxTime [s]", "dumpSize", "preDumpSize"]
RSYNC = [
    f"rsync{dump}{what}"
    for dump in ("PreDump", "Dump")
    for what in ("TotalFileSize", "TotalBytesSent", "TransferRate", "CompressionSpeedup")
]
MOVES_OF_A_HOST = [
    "preDumpTimes [s]",
    "preDumpTxTimes [s]",
    "dumpTimes [s]",
    "dumpTxTimes [s]",
    "dumpSizes",
    "preDumpSizes",
    "rsyncPreDumpTotalFileSizes",
    "rsyncPreDumpTotalBytesSent",
    "rsyncPreDumpTransferRates",
    "rsyncPreDumpCompressionSpeedups",
    "rsyncDumpTotalFileSizes",
    "rsyncDumpTotalBytesSent",
    "rsyncDumpTransferRates",
    "rsyncDumpCompressionSpeedups",
    "restoreTimes [s]",
    "lazyPagesTxTimes [s]",
    "lazyPagesTxEndTimes [s]",
    "numberOfLazyPages",
]


@dataclass(frozen=True)
class Scale:
    """How much of everything: enough for every figure, little enough for a test."""

    runs: int = 12
    container_runs: int = 3
    notification_runs: int = 4
    clients: int = 3
    around: int = 12
    seconds_between: float = 1.0


def size(megabytes: float) -> str:
    return f"{megabytes:.2f}M" if megabytes >= 1 else f"{megabytes * 1000:.2f}K"


class Synthetic:
    """Writes one set into a folder `POLICY/BACKEND`."""

    def __init__(
        self,
        root: Path,
        policy: str,
        backend: str,
        seed: int = 1,
        scale: Scale = Scale(),
        packed: bool = True,
    ):
        self.policy, self.backend, self.scale, self.packed = policy, backend, scale, packed
        self.folder = root / policy / backend
        # A string seeds the same in every process, a tuple's hash does not.
        self.random = random.Random(f"{policy}/{backend}/{seed}")
        self.slower = 0.0 if backend == "simulated" else 0.35

    def write(self) -> Path:
        for loss in ("nopacketloss", "packetloss"):
            self.experiment_0(loss)
            self.experiment_1(loss)
            self.experiment_2(loss, "exp2", False)
            for round_trip in (18, 122):
                self.experiment_4(loss, round_trip)
        self.experiment_2("nopacketloss", "exp2/compressionenabled", True)
        for round_trip in (18, 122):
            self.experiment_3(round_trip)
        self.experiment_5()
        self.experiment_6()
        self.details()
        self.environment()
        return self.folder

    # Files

    def table(self, place: str, name: str, columns: list[str], rows: list[list], packing: str = "") -> Path:
        folder = self.folder / place
        folder.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
        content = text.getvalue().encode()
        packing = packing if self.packed else ""
        path = folder / f"{name}.{packing or 'csv'}"
        if packing == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(f"{name}.csv"), content)
        elif packing == "csv.gz":
            path.write_bytes(gzip.compress(content, mtime=0))
        else:
            path.write_bytes(content)
        return path

    def details(self) -> None:
        """Our own file beside the thesis's."""
        columns = ["experiment", "run", "repetition", "seed", "client", "protocol", "migrationTechnique"]
        columns += ["memoryFootprintInflation [MB]", "clients", "intervalBetweenRequests [ms]", "requests"]
        columns += [
            "longestServiceTime [us]",
            "p99ServiceTime [us]",
            "stallBeyondFreeze [us]",
            "frozen [s]",
            "connectionEnd",
            "datagramsToOldAddress",
            "flaws",
        ]
        ends = ["idle timeout"] + [None] * 5
        rows = [
            [1, run, 1, run, 1, protocol, "cold", 0, 1, 5000, 12, 290_000, 280_000, 30_000 + run, 1.49, end, 3, None]
            for run, (protocol, end) in enumerate(zip(EXPERIMENT_1, ends), 1)
        ]
        self.table("nopacketloss/exp1", "godwit_details", columns, rows)

    def environment(self) -> None:
        content = {
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "dirty": False,
            "swift": "6.3.1",
            "kernel": "6.8",
            "cpu": "two cores",
            "planHash": "feedbeef",
            "masterSeed": 1,
            "commandLine": "mhq experiment run all",
        }
        (self.folder / "environment.json").write_text(json.dumps(content, indent=2), encoding="utf-8")

    # Values

    def plain_ms(self, loss: str) -> float:
        value = self.random.gauss(20.45 + self.slower, 0.27)
        return value + 104 if loss == "packetloss" and self.random.random() < 0.02 else value

    def excess_ms(self, protocol: str, frozen_ms: float = 0.0) -> float:
        """Beyond the plain time: godwit's client hears from the server, the thesis's waits for a rung of the ladder."""
        jitter = abs(self.random.gauss(0, 0.4))
        if self.policy == "godwit" or protocol in ("symmetric", "synchronizedSymmetric", "proactiveExplicit"):
            return frozen_ms + 0.5 + jitter
        rung = next(index for index, step in enumerate(LADDER_MS) if step >= frozen_ms)
        if protocol.startswith("poolOfAddresses"):
            candidates = int(protocol[-1]) + 1 if protocol[-1].isdigit() else 4
            while self.random.random() > 1 / candidates and rung < len(LADDER_MS) - 1:
                rung += 1
        return LADDER_MS[rung] + self.random.gauss(3, 4)

    def fails(self, protocol: str, loss: str) -> bool:
        explicit = protocol in EXPLICIT and self.policy == "thesis"
        return loss == "packetloss" and explicit and self.random.random() < 0.04

    def phases(self, technique: str, inflation: int, compressed: bool, failed: bool) -> dict[str, object]:
        if failed:
            return {}
        before, lazy = technique in ("preCopy", "hybrid"), technique in ("postCopy", "hybrid")
        memory = 1.45 + inflation * 1.05
        dumped = 0.25 if before and not lazy else 0.04 if before else 0.61 if lazy else memory
        noise = lambda: self.random.gauss(0, 0.012)
        sent = lambda megabytes: megabytes / 286 + 0.2 if compressed else megabytes
        transfer = lambda megabytes: 0.928 + 0.0137 * megabytes * (1.6 if compressed else 1) + noise()
        found: dict[str, object] = {
            "dumpTime [s]": 0.27 + dumped * 0.003 + noise(),
            "dumpTxTime [s]": transfer(dumped),
            "dumpSize": size(dumped),
            "rsyncDumpTotalFileSize": size(dumped),
            "rsyncDumpTotalBytesSent": size(sent(dumped)),
            "rsyncDumpTransferRate": size(dumped / 1.5) + " bytes/sec",
            "rsyncDumpCompressionSpeedup": f"{dumped / sent(dumped):.2f}",
            "restoreTime [s]": [f"real {0.24 + inflation * 0.001 + noise():.2f}", "user 0.04", "sys 0.04"],
        }
        if before:
            found |= {
                "preDumpTime [s]": 0.2 + inflation * 0.0027 + noise(),
                "preDumpTxTime [s]": transfer(memory),
                "preDumpSize": size(memory),
                "rsyncPreDumpTotalFileSize": size(memory),
                "rsyncPreDumpTotalBytesSent": size(sent(memory)),
                "rsyncPreDumpTransferRate": size(memory / 2) + " bytes/sec",
                "rsyncPreDumpCompressionSpeedup": f"{memory / sent(memory):.2f}",
            }
        if lazy:
            pages = 52 if before else 193 + inflation * 98
            found |= {
                "numberOfLazyPages": float(pages),
                "lazyPagesTxTime [s]": 0.03 + pages * 4e-5,
                "lazyPagesTxEndTime [s]": 0.36 + pages * 4e-5,
            }
        return found

    @staticmethod
    def downtime_ms(phases: dict) -> float:
        restore = float(phases["restoreTime [s]"][0].split()[1])
        return 1000 * (phases["dumpTime [s]"] + phases["dumpTxTime [s]"] + restore)

    # Experiments

    def experiment_0(self, loss: str) -> None:
        rows = [
            [0, 1, n, n, [round(self.plain_ms(loss) * 1000)], [DESTINATION], "quicBaseline"]
            for n in range(1, self.scale.runs + 1)
        ]
        columns = [
            "experiment",
            "run",
            "repetition",
            "seed",
            "serviceTimes [us]",
            "serverAddresses",
            "protocol",
        ]
        self.table(f"{loss}/exp0", "experiment0_service_times", columns, rows)

    def experiment_1(self, loss: str) -> None:
        self._experiment_1(loss, f"{loss}/exp1", EXPERIMENT_1)
        if self.policy == "godwit":
            self._experiment_1(loss, f"extra/{loss}/exp1", ("synchronizedSymmetric", "combined"))

    def _experiment_1(self, loss: str, place: str, protocols: tuple[str, ...]) -> None:
        services, moves, restores = [], [], []
        for run, protocol in enumerate(protocols, 1):
            for repetition in range(1, self.scale.runs + 1):
                seed = (run - 1) * self.scale.runs + repetition
                failed = self.fails(protocol, loss)
                value = round((self.plain_ms(loss) + self.excess_ms(protocol)) * 1000)
                services.append(
                    [1, run, repetition, seed] + ([None] * 3 if failed else [[value], [DESTINATION], 11])
                )
                phases = self.phases("cold", 0, False, failed)
                moves.append(self._move(1, run, repetition, seed, "cold", protocol, 0, False, phases))
                restores.append([1, run, repetition] + [phases.get(column) for column in RESTORE])
        self._write_runs(1, place, services, moves, restores)

    def _move(
        self, experiment, run, repetition, seed, technique, protocol, inflation, compressed, phases
    ) -> list:
        return (
            [experiment, run, repetition, seed, technique, protocol, inflation]
            + [phases.get(column) for column in DUMPS]
            + [compressed]
            + [phases.get(column) for column in RSYNC]
        )

    def _write_runs(self, number: int, place: str, services: list, moves: list, restores: list) -> None:
        keys = ["experiment", "run", "repetition"]
        self.table(
            place,
            f"experiment{number}_service_times",
            keys + ["seed", "serviceTimes [us]", "serverAddresses", "firstRequestAfterMigrationTriggered"],
            services,
            packing="csv.gz" if number == 2 else "",
        )
        self.table(
            place,
            f"experiment{number}_migration_times",
            keys
            + ["seed", "migrationTechnique", "protocol", "memoryFootprintInflation [MB]", *DUMPS]
            + ["compressionEnabled", *RSYNC],
            moves,
        )
        self.table(place, f"experiment{number}_restore_times", keys + RESTORE, restores)

    def experiment_2(self, loss: str, experiment: str, compressed: bool) -> None:
        services, moves, restores = [], [], []
        run = 0
        for inflation in INFLATIONS:
            for protocol in EXPERIMENT_2:
                for technique in TECHNIQUES:
                    run += 1
                    for repetition in range(1, self.scale.container_runs + 1):
                        seed = (run - 1) * self.scale.container_runs + repetition
                        failed = self.fails(protocol, loss)
                        phases = self.phases(technique, inflation, compressed, failed)
                        service = (
                            [None] * 3 if failed else self._back_to_back(loss, protocol, technique, phases)
                        )
                        services.append([2, run, repetition, seed, *service])
                        moves.append(
                            self._move(
                                2, run, repetition, seed, technique, protocol, inflation, compressed, phases
                            )
                        )
                        restores.append([2, run, repetition] + [phases.get(column) for column in RESTORE])
        self._write_runs(2, f"{loss}/{experiment}", services, moves, restores)

    def _back_to_back(self, loss: str, protocol: str, technique: str, phases: dict) -> list:
        before = self.scale.around
        still = self.random.randint(6, 9) if technique in ("preCopy", "hybrid") else self.random.randint(0, 2)
        far = [round((104 + self.plain_ms(loss)) * 1000) for _ in range(before + still)]
        affected = round((self.plain_ms(loss) + self.excess_ms(protocol, self.downtime_ms(phases))) * 1000)
        near = [affected] + [round(self.plain_ms(loss) * 1000) for _ in range(9)]
        return [far + near, [SOURCE] * len(far) + [DESTINATION] * len(near), before + 1]

    def experiment_3(self, round_trip: int) -> None:
        rows = []
        for protocol in ("reactiveExplicit", "symmetric"):
            for clients in (1, 10, 20, 30, 50):
                for run in range(1, self.scale.notification_runs + 1):
                    work = 0.2 + 0.07 * clients
                    value = round_trip + 22 + 0.25 * clients if protocol == "reactiveExplicit" else work
                    rows.append(
                        [
                            3,
                            run,
                            protocol,
                            clients,
                            clients,
                            round(1000 * value * self.random.uniform(0.97, 1.05)),
                        ]
                    )
        columns = [
            "experiment",
            "run",
            "protocol",
            "expectedNumberOfClients",
            "actualNumberOfClients",
            "migrationNotificationTime [us]",
        ]
        self.table(
            f"nopacketloss/exp3/{round_trip}ms_rtt", "experiment3_migration_notification_times", columns, rows
        )

    def experiment_4(self, loss: str, round_trip: int) -> None:
        services, moves, restores = [], [], []
        run = 0
        for inflation in INFLATIONS:
            for protocol in EXPERIMENT_4:
                for technique in TECHNIQUES:
                    for pause in (0, 260, 1000):
                        run += 1
                        phases = self.phases(technique, inflation, False, False)
                        for client in range(self.scale.clients):
                            seed = (run - 1) * self.scale.clients + client + 1
                            services.append(
                                self._client(loss, round_trip, run, seed, client, protocol, pause, phases)
                            )
                            moves.append(
                                [4, run, run, technique, float(inflation), False]
                                + [phases.get(column) for column in DUMPS + RSYNC]
                            )
                            restores.append([4, run] + [phases.get(column) for column in RESTORE])
        place = f"{loss}/exp4/{round_trip}ms_rtt"
        self.table(
            place,
            "experiment4_service_times",
            [
                "experiment",
                "run",
                "seedClient",
                "numberOfClients",
                "protocol",
                "intervalBetweenRequests [ms]",
                "requestTimestamps [us]",
                "serviceTimes [us]",
                "serverAddresses",
                "requestMethods",
                "requestBodySizes [B]",
                "responseBodySizes [B]",
                "connectionEndedDueToTimeout",
                "migrationNotificationTimestamp [s]",
                "migrationTriggerTimestamp [s]",
            ],
            services,
            packing="zip",
        )
        self.table(
            place,
            "experiment4_migration_times",
            [
                "experiment",
                "run",
                "seedServer",
                "migrationTechnique",
                "memoryFootprintInflation [MB]",
                "compressionEnabled",
                *DUMPS,
                *RSYNC,
            ],
            moves,
        )
        self.table(place, "experiment4_restore_times", ["experiment", "run", *RESTORE], restores)

    def _client(self, loss, round_trip, run, seed, client, protocol, pause, phases) -> list:
        """Requests as a real client would send them, but never closer together than a second or so."""
        start = EPOCH_US / 1e6 + run * 1000
        notice = start + 0.3 * self.scale.clients + 90
        trigger = notice + 0.2
        thaw = trigger + self.downtime_ms(phases) / 1000
        now, columns = start + 0.3 * client, [[], [], [], [], [], []]
        lost = self.fails(protocol, loss)
        while now < start + 118:
            method, asked, answered = self._request()
            service = round_trip / 1000 * (1 + max(asked, answered) / 32500) * self.random.uniform(1, 1.1)
            moved = now + service > trigger
            if moved and lost:
                break
            if moved and now < thaw:
                service = thaw - now + self.excess_ms(protocol) / 1000 + round_trip / 1000
            cells = (now, service, DESTINATION if moved else SOURCE, method, asked, answered)
            for column, cell in zip(columns, cells):
                column.append(cell)
            now += max(service + pause / 1000, self.scale.seconds_between * self.random.uniform(0.8, 1.2))
        stamps = [round(value * 1e6) for value in columns[0]]
        services = [round(value * 1e6) for value in columns[1]]
        return [
            4,
            run,
            seed,
            self.scale.clients,
            protocol,
            pause,
            stamps,
            services,
            *columns[2:],
            lost,
            notice,
            trigger,
        ]

    def _request(self) -> tuple[str, int, int]:
        blocks = min(int(self.random.paretovariate(0.9)) - 1, 799)
        if self.random.random() < 0.22:
            return "POST", 500 + min(blocks, 149) * 1000, 0
        return "GET", 0, 500 + blocks * 1000

    def _hour(self) -> tuple[list, list, list, list]:
        """Requests, service times, addresses and handovers of an hour, with one request every few seconds."""
        start, now = EPOCH_US / 1e6, EPOCH_US / 1e6
        handovers = [start + 600 * n + self.random.uniform(-0.5, 0.5) for n in range(1, 7)]
        outages = [7.02, 2.79, 4.08, 3.07, 4.33, 3.06]
        return start, now, handovers, outages

    def _requests(self, follows: bool):
        start, now, handovers, outages = self._hour()
        triggers = [moment + outage + 5 for moment, outage in zip(handovers, outages)]
        stamps, services, addresses = [], [], []
        while now < start + 3900:
            passed = sum(moment <= now for moment in handovers)
            moved = sum(moment + 3 <= now for moment in triggers) if follows else 0
            far = passed % 2 != moved % 2
            service = (0.122 if far else 0.019) * self.random.uniform(0.98, 1.2)
            for moment, outage in zip(handovers, outages):
                if now <= moment < now + 1.5:
                    service += moment - now + outage
            for moment in triggers if follows else []:
                if now <= moment < now + 1.5:
                    service += 1.7
            stamps.append(round(now * 1e6))
            services.append(round(service * 1e6))
            addresses.append(DESTINATION if moved % 2 else SOURCE)
            near = any(moment - 10 < now < moment + 20 for moment in handovers)
            now += service + (0.3 if near else 4.0) * self.random.uniform(0.9, 1.1)
        return stamps, services, addresses, handovers, triggers

    def experiment_5(self) -> None:
        rows, hosts = [], {"source": [], "destination": []}
        for run, protocol in enumerate(("reactiveExplicit", "symmetric"), 1):
            stamps, services, addresses, handovers, triggers = self._requests(follows=True)
            notices = [moment - 0.4 for moment in triggers]
            rows.append(
                [5, run, 1, run, protocol, 10, stamps, services, addresses, handovers, notices, triggers]
            )
            for host in hosts.values():
                host.append([5, run, 1, run, "hybrid", False] + self._three_moves())
        self.table(
            "packetloss/exp5",
            "experiment5_service_times",
            [
                "experiment",
                "run",
                "repetition",
                "seed",
                "protocol",
                "clientMigrationFrequency [min]",
                "requestTimestamps [us]",
                "serviceTimes [us]",
                "serverAddresses",
                "handoverTimestamps [s]",
                "migrationNotificationTimestamps [s]",
                "migrationTriggerTimestamps [s]",
            ],
            rows,
        )
        for name, host in hosts.items():
            self.table(
                "packetloss/exp5",
                f"experiment5_first_{name}",
                [
                    "experiment",
                    "run",
                    "repetition",
                    "seed",
                    "migrationTechnique",
                    "compressionEnabled",
                    *MOVES_OF_A_HOST,
                ],
                host,
            )

    def _three_moves(self) -> list:
        three = [self.phases("hybrid", 0, False, False) for _ in range(3)]
        singular = lambda column: (
            column.replace("Times [s]", "Time [s]")
            .replace("TotalBytesSent", "TotalBytesSen_")
            .removesuffix("s")
            .replace("TotalBytesSen_", "TotalBytesSent")
        )
        names = {"numberOfLazyPages": "numberOfLazyPages"}
        return [[one[names.get(column, singular(column))] for one in three] for column in MOVES_OF_A_HOST]

    def experiment_6(self) -> None:
        stamps, services, addresses, handovers, _ = self._requests(follows=False)
        self.table(
            "packetloss/exp6",
            "experiment6_service_times",
            [
                "experiment",
                "run",
                "repetition",
                "seed",
                "clientMigrationFrequency [min]",
                "requestTimestamps [us]",
                "serviceTimes [us]",
                "serverAddresses",
                "handoverTimestamps [s]",
            ],
            [[6, 1, 1, 1, 10, stamps, services, addresses, handovers]],
        )
        self.table(
            "packetloss/exp6",
            "experiment6_server",
            ["experiment", "run", "repetition", "seed"],
            [[6, 1, 1, 1]],
        )


def write_all(root: Path, scale: Scale = Scale()) -> Path:
    """Both policies, simulated and on loopback."""
    for policy in ("thesis", "godwit"):
        for backend in ("simulated", "loopback"):
            Synthetic(root, policy, backend, scale=scale).write()
    return root
