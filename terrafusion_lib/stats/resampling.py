"""Bootstrap of ratio statistics: many resamples of one stratum, drawn with replacement."""

import numpy as np

from terrafusion_lib.stats.ordering import sorted_median
from terrafusion_lib.stats.strata import FloatArray, IntArray

CELLS = 1 << 16
"""Resampled sales held at once: small enough for the processor's cache."""

REACH = 5.0
"""Standard errors about the median within which the medians of resamples are looked for first."""

BOOTSTRAPPED = ("mean_ratio", "weighted_mean_ratio", "cod", "cov", "prd", "mki", "ki")


def bootstrap(
    assessed: FloatArray, price: FloatArray, *, replicates: int, seed: int | list[int]
) -> FloatArray:
    """Replicates of every bootstrapped statistic of one stratum, a row each as in `BOOTSTRAPPED`.

    `assessed` and `price` must be sorted by ratio, then price, as
    :func:`~terrafusion_lib.stats.strata.stratify` leaves them: then the draws, and so the
    interval, depend on nothing but the sales, the number of replicates and the seed.
    """
    n = price.size
    rng = np.random.default_rng(seed)
    rows = max(1, min(replicates, CELLS // max(n, 1)))
    resampler = _Resampler(assessed, price, rows)
    found = np.empty((len(BOOTSTRAPPED), replicates))
    for first in range(0, replicates, rows):
        size = min(rows, replicates - first)
        drawn = rng.integers(0, n, size=(size, n))
        drawn += np.arange(0, size * n, n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        found[:, first : first + size] = resampler.statistics(counts)
    return found


class _Resampler:
    """Statistics of resamples, given as how often each sale was drawn (replicate x sale).

    Work arrays are made once: for large samples most of the time would else go into fresh memory.
    """

    def __init__(self, assessed: FloatArray, price: FloatArray, rows: int) -> None:
        n = price.size
        self.n = n
        self.ratio = assessed / price
        self.centre = sorted_median(self.ratio)
        reach = int(REACH * np.sqrt(n)) // 2 + 2
        self.window = slice(max(0, n // 2 - reach), min(n, n // 2 + reach))
        distance = np.abs(self.ratio - self.centre)
        self.columns = (self.ratio, self.ratio**2, assessed, price, distance)
        self.by_price = np.argsort(price, kind="stable")
        self.assessed, self.price = assessed[self.by_price], price[self.by_price]
        # Where each sale's block of equal prices begins and ends: they share their mean rank.
        self.before = np.searchsorted(self.price, self.price, side="left")
        self.through = np.searchsorted(self.price, self.price, side="right")
        self.ties = bool((self.through - self.before > 1).any())
        self.whole = [np.empty((rows, n), dtype=np.int64) for _ in range(2)]
        self.upto = np.zeros((rows, n + 1), dtype=np.int64)
        self.real = [np.empty((rows, n)) for _ in range(2)]

    def statistics(self, counts: IntArray) -> list[FloatArray]:
        """Each bootstrapped statistic, one figure per replicate."""
        n = self.n
        times = self.real[0][: len(counts)]
        np.copyto(times, counts)
        ratios, squares, values, prices, spread = (_weigh(times, column) for column in self.columns)
        mean, weighted = ratios / n, values / prices
        variance = np.maximum(squares - n * mean**2, 0.0) / max(n - 1, 1)
        median, deviation = self._dispersion(counts, spread)
        gini_values, gini_prices = self._ginis(counts, values, prices)
        with np.errstate(invalid="ignore", divide="ignore"):
            return [
                mean,
                weighted,
                100 * deviation / n / np.where(median > 0, median, np.nan),
                100 * np.sqrt(variance) / np.where(mean > 0, mean, np.nan),
                mean / np.where(weighted > 0, weighted, np.nan),
                gini_values / np.where(np.abs(gini_prices) > 1e-12, gini_prices, np.nan),
                gini_values - gini_prices,
            ]

    def _dispersion(self, counts: IntArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Median of each resample and the sum of distances from it.

        `spread` is the sum of distances from the median of the sales: moving from one median to
        the other changes each distance by the move, but for the sales between the two.
        """
        first, last = self.window.start, self.window.stop
        below = counts[:, :first].sum(axis=1)
        inside = np.cumsum(counts[:, first:last], axis=1)
        through = below + inside[:, -1]
        if (below >= (self.n + 1) // 2).any() or (through < self.n // 2 + 1).any():
            self.window = slice(0, self.n)
            return self._dispersion(counts, spread)
        drawn = inside + below[:, None]
        low = np.count_nonzero(drawn < (self.n + 1) // 2, axis=1)
        high = np.count_nonzero(drawn < self.n // 2 + 1, axis=1)
        ratio = self.ratio[first:last]
        median = (ratio[low] + ratio[high]) / 2
        moved = np.abs(ratio - median[:, None]) - self.columns[-1][first:last]
        moved *= counts[:, first:last]
        outside = (median - self.centre) * (below - (self.n - through))
        return median, spread + outside + moved.sum(axis=1)

    def _ginis(
        self, counts: IntArray, values: FloatArray, prices: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Gini coefficients of assessed values and prices in the order of price."""
        n, size = self.n, len(counts)
        ranks, other = (array[:size] for array in self.whole)
        times, ranked = (array[:size] for array in self.real)
        upto = self.upto[:size]
        np.take(counts, self.by_price, axis=1, out=other, mode="clip")
        np.copyto(times, other)
        np.cumsum(other, axis=1, out=upto[:, 1:])
        np.add(upto[:, 1:], upto[:, :-1], out=ranks)
        price = _weigh(_ranked(ranks, times, ranked), self.price)
        if self.ties:
            np.take(upto, self.before, axis=1, out=ranks, mode="clip")
            np.take(upto, self.through, axis=1, out=other, mode="clip")
            ranks += other
            _ranked(ranks, times, ranked)
        value = _weigh(ranked, self.assessed)
        with np.errstate(invalid="ignore"):
            return value / (n * values) - (n + 1) / n, price / (n * prices) - (n + 1) / n


def _ranked(twice: IntArray, times: FloatArray, out: FloatArray) -> FloatArray:
    """Twice the mean rank of each sale, as often as it was drawn."""
    np.add(twice, 1, out=twice)
    np.copyto(out, twice)
    out *= times
    return out


def _weigh(times: FloatArray, values: FloatArray) -> FloatArray:
    # einsum sums in one fixed order; a BLAS product may depend on the number of threads.
    total: FloatArray = np.einsum("ij,j->i", times, values)
    return total
