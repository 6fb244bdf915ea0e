"""Confidence intervals of ratio statistics.

Median: exact, by order statistics. PRB: t-interval of the regression slope. Shares: exact
binomial (Clopper and Pearson, 1934). The rest: seeded percentile bootstrap (Efron, 1979).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, betaincinv, stdtrit

from terrafusion_lib.stats.points import Slope
from terrafusion_lib.stats.strata import FloatArray, IntArray

CELLS = 1 << 17
"""Resampled sales held at once: small enough for the processor's cache."""

BOOTSTRAPPED = ("mean_ratio", "weighted_mean_ratio", "cod", "cov", "prd", "mki", "ki")


class Interval(NamedTuple):
    """Lower and upper end, NaN where too few sales allow none."""

    low: float
    high: float


NONE = Interval(float("nan"), float("nan"))


def median_interval(sorted_values: FloatArray, confidence: float = 0.95) -> Interval:
    """Exact interval of a median: the widest-known pair of order statistics that must hold it.

    Ranks k and n + 1 - k with the largest k such that the binomial(n, 1/2) probability of fewer
    than k observations below the median stays within half of 1 - `confidence`. The coverage is
    therefore at least `confidence`, whatever the distribution. NaN when even the extremes do not
    reach it (below six sales at 95 percent).
    """
    n = sorted_values.size
    rank = _median_rank(n, confidence)
    if rank == 0:
        return NONE
    return Interval(float(sorted_values[rank - 1]), float(sorted_values[n - rank]))


def _median_rank(n: int, confidence: float) -> int:
    """The largest rank k with P(binomial(n, 1/2) < k) <= (1 - confidence) / 2; 0 when none."""
    if n == 0:
        return 0
    tail = (1 - confidence) / 2
    below = bdtr(np.arange(n // 2 + 1, dtype=np.float64), n, 0.5)
    return int(np.searchsorted(below, tail, side="right"))


def prb_interval(slope: Slope, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Lower and upper ends of PRB by stratum."""
    t = np.full(slope.degrees.size, np.nan)
    some = slope.degrees > 0
    t[some] = stdtrit(slope.degrees[some].astype(np.float64), (1 + confidence) / 2)
    return slope.estimate - t * slope.standard_error, slope.estimate + t * slope.standard_error


def share_interval(
    share: FloatArray, n: IntArray, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Exact binomial interval of a share of `n` sales, by stratum."""
    tail = (1 - confidence) / 2
    hits = np.round(share * n)
    low, high = np.full(n.size, np.nan), np.full(n.size, np.nan)
    some = n > 0
    k, total = hits[some], n[some].astype(np.float64)
    with np.errstate(invalid="ignore"):
        low[some] = np.where(k > 0, betaincinv(k, total - k + 1, tail), 0.0)
        high[some] = np.where(k < total, betaincinv(k + 1, total - k, 1 - tail), 1.0)
    return low, high


def bootstrap(
    assessed: FloatArray, price: FloatArray, *, replicates: int, seed: int | list[int]
) -> dict[str, FloatArray]:
    """Replicates of every bootstrapped statistic of one stratum, sales drawn with replacement.

    `assessed` and `price` must be sorted by ratio, then price, as
    :func:`~terrafusion_lib.stats.strata.stratify` leaves them: then the draws, and so the
    interval, depend on nothing but the sales, the number of replicates and the seed.
    """
    n = price.size
    rng = np.random.default_rng(seed)
    rows = max(1, min(replicates, CELLS // max(n, 1)))
    resampler = _Resampler(assessed, price, rows)
    parts = []
    for first in range(0, replicates, rows):
        size = min(rows, replicates - first)
        drawn = rng.integers(0, n, size=(size, n))
        drawn += np.arange(0, size * n, n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        parts.append(resampler.statistics(counts))
    return {name: np.concatenate([part[name] for part in parts]) for name in BOOTSTRAPPED}


class _Resampler:
    """Statistics of resamples, given as how often each sale was drawn (replicate x sale).

    Work arrays are made once: for large samples most of the time would else go into fresh memory.
    """

    def __init__(self, assessed: FloatArray, price: FloatArray, rows: int) -> None:
        n = price.size
        by_price = np.argsort(price, kind="stable")
        sorted_price = price[by_price]
        self.columns = (assessed / price, (assessed / price) ** 2, assessed, price)
        self.by_price = by_price
        self.sorted_columns = (assessed[by_price], sorted_price)
        # Where each sale's block of equal prices begins and ends: they share their mean rank.
        self.before = np.searchsorted(sorted_price, sorted_price, side="left")
        self.through = np.searchsorted(sorted_price, sorted_price, side="right")
        self.whole = [np.empty((rows, n), dtype=np.int64) for _ in range(2)]
        self.upto = np.zeros((rows, n + 1), dtype=np.int64)
        self.real = [np.empty((rows, n)) for _ in range(2)]

    def statistics(self, counts: IntArray) -> dict[str, FloatArray]:
        """Each bootstrapped statistic, one figure per replicate."""
        size, n = counts.shape
        times, work = (array[:size] for array in self.real)
        np.copyto(times, counts)
        ratios, squares, values, prices = (_weigh(times, column) for column in self.columns)
        mean, weighted = ratios / n, values / prices
        variance = np.maximum(squares - n * mean**2, 0.0) / max(n - 1, 1)
        median = self._medians(counts)
        np.subtract(self.columns[0], median[:, None], out=work)
        deviation = np.einsum("ij,ij->i", times, np.abs(work, out=work))
        gini_values, gini_prices = self._ginis(counts, values, prices)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "mean_ratio": mean,
                "weighted_mean_ratio": weighted,
                "cod": 100 * deviation / n / np.where(median > 0, median, np.nan),
                "cov": 100 * np.sqrt(variance) / np.where(mean > 0, mean, np.nan),
                "prd": mean / np.where(weighted > 0, weighted, np.nan),
                "mki": gini_values / np.where(np.abs(gini_prices) > 1e-12, gini_prices, np.nan),
                "ki": gini_values - gini_prices,
            }

    def _medians(self, counts: IntArray) -> FloatArray:
        size, n = counts.shape
        drawn = np.cumsum(counts, axis=1, out=self.whole[0][:size])
        low = np.count_nonzero(drawn < (n + 1) // 2, axis=1)
        high = np.count_nonzero(drawn < n // 2 + 1, axis=1)
        middle: FloatArray = (self.columns[0][low] + self.columns[0][high]) / 2
        return middle

    def _ginis(
        self, counts: IntArray, values: FloatArray, prices: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Gini coefficients of assessed values and prices in the order of price."""
        size, n = counts.shape
        times, rank = (array[:size] for array in self.whole)
        upto, ranked = self.upto[:size], self.real[0][:size]
        np.take(counts, self.by_price, axis=1, out=times, mode="clip")
        np.cumsum(times, axis=1, out=upto[:, 1:])
        np.take(upto, self.before, axis=1, out=rank, mode="clip")
        np.copyto(ranked, rank)
        np.take(upto, self.through, axis=1, out=rank, mode="clip")
        ranked += rank
        ranked += 1
        ranked *= times  # twice the rank of each sale, as often as it was drawn
        found = [
            _weigh(ranked, column) / (n * total) - (n + 1) / n
            for column, total in zip(self.sorted_columns, (values, prices), strict=True)
        ]
        return found[0], found[1]


def _weigh(times: FloatArray, values: FloatArray) -> FloatArray:
    # einsum sums in one fixed order; a BLAS product may depend on the number of threads.
    total: FloatArray = np.einsum("ij,j->i", times, values)
    return total


def percentile_interval(replicates: FloatArray, confidence: float = 0.95) -> Interval:
    """Percentile interval of bootstrap replicates; NaN when a replicate is undefined."""
    if not np.isfinite(replicates).all():
        return NONE
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return Interval(float(low), float(high))
