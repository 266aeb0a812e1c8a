"""What a table or an error bar says about a sample."""

from dataclasses import dataclass

import numpy as np

# As the thesis's own figures: percentile bootstrap of 1000 resamples, seed 1.
RESAMPLES = 1000
SEED = 1
CONFIDENCE = 95
METHOD = f"{CONFIDENCE} % CI: percentile bootstrap, {RESAMPLES} resamples, seed {SEED}"
# Resamples are drawn in blocks of this many numbers, so that an hour's 90,000 requests fit into memory.
BLOCK = 4_000_000


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    n: int
    mean: float
    interval: Interval
    median: float
    p95: float
    p99: float
    failures: int

    @property
    def attempts(self) -> int:
        return self.n + self.failures


NOTHING = Interval(float("nan"), float("nan"))


def measured(values) -> np.ndarray:
    """The values without the empty ones, as an array of floats."""
    array = np.asarray(values, dtype=float)
    return array[~np.isnan(array)]


def resampled(values: np.ndarray, statistic) -> np.ndarray:
    """The statistic of every resample. The same values give the same resamples, always."""
    generator = np.random.default_rng(SEED)
    per_block = max(1, BLOCK // len(values))
    results = []
    for start in range(0, RESAMPLES, per_block):
        count = min(per_block, RESAMPLES - start)
        picks = generator.integers(0, len(values), size=(count, len(values)))
        results.append(statistic(values[picks], axis=1))
    return np.concatenate(results)


def interval(values, statistic=np.mean) -> Interval:
    """The confidence interval of a statistic; nothing can be said from fewer than two values."""
    values = measured(values)
    if len(values) < 2:
        return NOTHING
    edge = (100 - CONFIDENCE) / 2
    low, high = np.percentile(resampled(values, statistic), [edge, 100 - edge])
    return Interval(float(low), float(high))


def difference_of_medians(first, second) -> tuple[float, Interval]:
    """Median of the first less that of the second, both resampled on their own."""
    first, second = measured(first), measured(second)
    difference = float(np.median(first) - np.median(second))
    if min(len(first), len(second)) < 2:
        return difference, NOTHING
    # The second is resampled backwards: with one seed for both, samples of equal length would move together.
    spread = resampled(first, np.median) - resampled(second, np.median)[::-1]
    edge = (100 - CONFIDENCE) / 2
    low, high = np.percentile(spread, [edge, 100 - edge])
    return difference, Interval(float(low), float(high))


def summary(values, failures: int | None = None) -> Summary:
    """Without a number of failures, the empty values count as failures."""
    array = np.asarray(values, dtype=float)
    present = measured(array)
    if failures is None:
        failures = len(array) - len(present)
    if len(present) == 0:
        gap = float("nan")
        return Summary(0, gap, NOTHING, gap, gap, gap, int(failures))
    median, p95, p99 = np.percentile(present, [50, 95, 99])
    return Summary(
        len(present),
        float(present.mean()),
        interval(present),
        float(median),
        float(p95),
        float(p99),
        int(failures),
    )


def share_interval(count: int, total: int) -> Interval:
    """Wilson's 95 % interval of a share: it stays within 0 and 1, and is wider than nothing for 0 of n."""
    if total == 0:
        return NOTHING
    z, share = 1.959963984540054, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At the ends the formula gives 0 and 1 up to rounding.
    low = 0.0 if count == 0 else max(0.0, float(middle - reach))
    return Interval(low, 1.0 if count == total else min(1.0, float(middle + reach)))


def ecdf(values) -> tuple[np.ndarray, np.ndarray]:
    ordered = np.sort(measured(values))
    return ordered, np.arange(1, len(ordered) + 1) / len(ordered)
