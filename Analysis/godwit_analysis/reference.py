"""The thesis's results in figures, to lie beside ours.

Casu 2022, measured on three machines with mvfst and proxygen. Recomputed from its published data (diegocasu/proxygen,
commit 408df7f42): means with percentile bootstrap intervals of 1000 resamples, seed 1, as everywhere here.
"""

from dataclasses import dataclass

SOURCE = "the thesis: measured, mvfst and proxygen on three machines (Casu 2022, published data at 408df7f42)"


@dataclass(frozen=True)
class Published:
    """Service times of experiments 0 and 1, in milliseconds of a clock."""

    n: int
    failed: int
    mean: float
    low: float
    high: float
    median: float
    p95: float
    most: float


@dataclass(frozen=True)
class Downtime:
    """Seconds from freeze to restore with the interval of the mean, and the mean of the whole move."""

    mean: float
    low: float
    high: float
    total: float


@dataclass(frozen=True)
class Notification:
    """Milliseconds until all clients are ready."""

    mean: float
    low: float
    high: float
    median: float


EXPERIMENT_1: dict[str, dict[str, Published]] = {
    "nopacketloss": {
        "quicBaseline": Published(100, 0, 20.45, 20.40, 20.50, 20.45, 20.88, 21.27),
        "symmetric": Published(100, 0, 20.87, 20.82, 20.92, 20.94, 21.20, 21.38),
        "proactiveExplicit": Published(100, 0, 21.44, 21.38, 21.50, 21.49, 21.88, 22.33),
        "reactiveExplicit": Published(100, 0, 287.70, 286.27, 289.09, 290.56, 300.97, 308.18),
        "poolOfAddresses1": Published(100, 0, 402.80, 382.08, 423.26, 491.90, 518.15, 521.85),
        "poolOfAddresses2": Published(100, 0, 575.92, 526.01, 630.46, 508.77, 931.59, 935.12),
        "poolOfAddresses3": Published(100, 0, 773.14, 672.82, 879.70, 509.13, 1735.74, 1746.47),
    },
    "packetloss": {
        "quicBaseline": Published(100, 0, 21.56, 20.47, 23.69, 20.50, 20.90, 125.68),
        "symmetric": Published(100, 0, 22.92, 20.86, 25.98, 20.90, 21.39, 125.22),
        "proactiveExplicit": Published(95, 5, 25.63, 21.55, 31.06, 21.61, 22.02, 153.89),
        "reactiveExplicit": Published(97, 3, 285.66, 275.32, 294.57, 284.88, 305.61, 418.50),
        "poolOfAddresses1": Published(100, 0, 450.57, 404.04, 532.62, 498.23, 525.30, 3353.24),
        "poolOfAddresses2": Published(100, 0, 764.52, 612.23, 953.43, 508.97, 934.87, 6558.38),
        "poolOfAddresses3": Published(100, 0, 1595.49, 851.95, 2372.71, 628.87, 1751.57, 25788.88),
    },
}

# Probe timeouts of a client that lost its server, in milliseconds after the request: 267 + 100 (2^k - 2).
LADDER_MS = [267 + 100 * (2**k - 2) for k in range(1, 9)]

# (technique, MB added): no loss, loss towards the client, compressed.
EXPERIMENT_2_DOWNTIME: dict[tuple[str, int], tuple[Downtime, Downtime, Downtime]] = {
    ("cold", 0): (
        Downtime(1.49, 1.48, 1.49, 1.49),
        Downtime(1.47, 1.46, 1.48, 1.47),
        Downtime(1.52, 1.51, 1.53, 1.52),
    ),
    ("cold", 10): (
        Downtime(1.65, 1.64, 1.66, 1.65),
        Downtime(1.65, 1.63, 1.66, 1.65),
        Downtime(1.82, 1.81, 1.83, 1.82),
    ),
    ("cold", 50): (
        Downtime(2.39, 2.38, 2.41, 2.39),
        Downtime(2.41, 2.40, 2.43, 2.41),
        Downtime(2.96, 2.95, 2.98, 2.96),
    ),
    ("cold", 100): (
        Downtime(3.29, 3.26, 3.32, 3.29),
        Downtime(3.32, 3.29, 3.35, 3.32),
        Downtime(4.17, 4.16, 4.18, 4.17),
    ),
    ("preCopy", 0): (
        Downtime(1.46, 1.45, 1.47, 2.61),
        Downtime(1.45, 1.44, 1.45, 2.58),
        Downtime(1.46, 1.45, 1.47, 2.65),
    ),
    ("preCopy", 10): (
        Downtime(1.45, 1.44, 1.46, 2.76),
        Downtime(1.47, 1.47, 1.48, 2.78),
        Downtime(1.47, 1.46, 1.48, 2.95),
    ),
    ("preCopy", 50): (
        Downtime(1.49, 1.49, 1.50, 3.49),
        Downtime(1.51, 1.50, 1.52, 3.51),
        Downtime(1.52, 1.51, 1.53, 4.04),
    ),
    ("preCopy", 100): (
        Downtime(1.57, 1.56, 1.58, 4.41),
        Downtime(1.58, 1.56, 1.59, 4.43),
        Downtime(1.60, 1.59, 1.61, 5.49),
    ),
    ("postCopy", 0): (
        Downtime(1.46, 1.46, 1.47, 1.51),
        Downtime(1.44, 1.43, 1.45, 1.48),
        Downtime(1.48, 1.47, 1.49, 1.52),
    ),
    ("postCopy", 10): (
        Downtime(1.43, 1.42, 1.44, 1.59),
        Downtime(1.45, 1.43, 1.46, 1.61),
        Downtime(1.48, 1.47, 1.48, 1.64),
    ),
    ("postCopy", 50): (
        Downtime(1.44, 1.43, 1.45, 1.84),
        Downtime(1.46, 1.45, 1.47, 1.89),
        Downtime(1.49, 1.48, 1.50, 1.85),
    ),
    ("postCopy", 100): (
        Downtime(1.45, 1.45, 1.46, 1.92),
        Downtime(1.46, 1.45, 1.47, 1.98),
        Downtime(1.49, 1.48, 1.50, 1.93),
    ),
    ("hybrid", 0): (
        Downtime(1.45, 1.45, 1.46, 2.63),
        Downtime(1.43, 1.42, 1.44, 2.59),
        Downtime(1.43, 1.42, 1.43, 2.65),
    ),
    ("hybrid", 10): (
        Downtime(1.43, 1.43, 1.44, 2.76),
        Downtime(1.44, 1.43, 1.45, 2.77),
        Downtime(1.44, 1.44, 1.45, 2.95),
    ),
    ("hybrid", 50): (
        Downtime(1.48, 1.47, 1.49, 3.52),
        Downtime(1.50, 1.49, 1.50, 3.54),
        Downtime(1.49, 1.49, 1.50, 4.03),
    ),
    ("hybrid", 100): (
        Downtime(1.54, 1.53, 1.55, 4.39),
        Downtime(1.55, 1.55, 1.56, 4.42),
        Downtime(1.55, 1.54, 1.56, 5.48),
    ),
}

PHASES = ("pre_dump_s", "pre_dump_tx_s", "dump_s", "dump_tx_s", "restore_s", "lazy_tx_s")
SIZES = ("pre_dump_mb", "dump_mb", "lazy_mb")
# Without loss: seconds of the phases in the order above, then megabytes.
EXPERIMENT_2_PHASES: dict[tuple[str, int], tuple[float, ...]] = {
    ("cold", 0): (0.0, 0.0, 0.29, 0.96, 0.23, 0.0, 0.0, 1.46, 0.0),
    ("cold", 100): (0.0, 0.0, 0.57, 2.37, 0.34, 0.0, 0.0, 106.32, 0.0),
    ("preCopy", 0): (0.20, 0.95, 0.29, 0.93, 0.24, 0.0, 1.44, 0.24, 0.0),
    ("preCopy", 100): (0.47, 2.38, 0.29, 0.93, 0.35, 0.0, 106.30, 0.25, 0.0),
    ("postCopy", 0): (0.0, 0.0, 0.27, 0.94, 0.25, 0.05, 0.0, 0.61, 0.79),
    ("postCopy", 100): (0.0, 0.0, 0.28, 0.93, 0.24, 0.47, 0.0, 0.61, 41.0),
    ("hybrid", 0): (0.20, 0.95, 0.27, 0.93, 0.25, 0.03, 1.44, 0.03, 0.21),
    ("hybrid", 100): (0.47, 2.35, 0.26, 0.92, 0.36, 0.03, 106.30, 0.04, 0.21),
}

EXPERIMENT_3: dict[tuple[str, str], dict[int, Notification]] = {
    ("18ms_rtt", "reactiveExplicit"): {
        1: Notification(40.40, 39.57, 41.59, 40.22),
        10: Notification(43.70, 42.38, 45.53, 42.88),
        20: Notification(45.86, 44.26, 47.64, 45.81),
        30: Notification(47.75, 46.79, 48.68, 47.46),
        50: Notification(52.45, 50.80, 53.91, 52.65),
    },
    ("18ms_rtt", "symmetric"): {
        1: Notification(0.28, 0.24, 0.31, 0.28),
        10: Notification(0.98, 0.89, 1.06, 1.04),
        20: Notification(1.51, 1.36, 1.71, 1.41),
        30: Notification(2.30, 2.04, 2.59, 2.35),
        50: Notification(3.43, 3.10, 3.80, 3.31),
    },
    ("122ms_rtt", "reactiveExplicit"): {
        1: Notification(156.36, 153.52, 159.80, 153.92),
        10: Notification(158.45, 156.05, 161.38, 155.69),
        20: Notification(162.35, 160.40, 164.01, 163.14),
        30: Notification(165.74, 164.79, 166.68, 166.01),
        50: Notification(167.11, 165.76, 168.41, 167.79),
    },
    ("122ms_rtt", "symmetric"): {
        1: Notification(0.39, 0.35, 0.43, 0.38),
        10: Notification(1.05, 1.00, 1.11, 1.05),
        20: Notification(2.10, 1.88, 2.31, 2.01),
        30: Notification(3.12, 2.79, 3.49, 2.83),
        50: Notification(4.53, 4.20, 4.94, 4.49),
    },
}

# Experiment 6: an hour in segments, service times in milliseconds: n, mean, median, 95th percentile, longest.
EXPERIMENT_6 = [
    ("all requests", "89,124", "43.57 [43.11, 44.03]", "19.04", "133.25", "7,015.70"),
    ("client near the server", "74,974", "25.5 to 27.9", "18.1 to 18.7", "26 to 29", "646"),
    ("client away", "12,254", "142.1 to 145.6", "122.4 to 122.9", "257 to 259", "1,158"),
]
# Seconds of the request in flight at each handover.
EXPERIMENT_6_HANDOVERS = (7.02, 2.79, 4.08, 3.07, 4.33, 3.06)

# What the published data lacks in every snapshot that is at hand.
NEVER_SEEN = (
    "the service times of experiments 2, 4 and 5: what the thesis's clients waited for while a container moved can't "
    "be recomputed, so no figure of the thesis stands beside those of ours"
)
