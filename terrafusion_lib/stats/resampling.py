"""Bootstrap of ratio statistics: many resamples of one stratum, drawn with replacement."""

import numpy as np

from terrafusion_lib.stats.ordering import sorted_median
from terrafusion_lib.stats.strata import FloatArray, IntArray

CELLS = 1 << 16
"""Resampled sales held at once: small enough for the processor's cache."""

REACH = 5.0
"""Standard errors around the median within which resample medians are searched first."""

BOOTSTRAPPED = ("mean_ratio", "weighted_mean_ratio", "cod", "cov", "prd", "mki", "ki")


def bootstrap(
    appraised: FloatArray, price: FloatArray, *, replicates: int, seed: int | list[int]
) -> FloatArray:
    """Replicates of every bootstrapped statistic of one stratum, one row each, in the order of
    `BOOTSTRAPPED`.

    `appraised` and `price` must be sorted by ratio, then price, as
    :func:`~terrafusion_lib.stats.strata.stratify` returns them, so that draws and interval depend
    only on the sales, the number of replicates and the seed.
    """
    n = price.size
    bits = np.random.PCG64(seed)
    rows = max(1, min(replicates, CELLS // max(n, 1)))
    resampler = _Resampler(appraised, price, rows)
    replicated = np.empty((len(BOOTSTRAPPED), replicates))
    for first in range(0, replicates, rows):
        size = min(rows, replicates - first)
        drawn = draw(bits, n, size)
        if size > 1:
            drawn += np.arange(0, size * n, n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        replicated[:, first : first + size] = resampler.statistics(counts)
    return replicated


def draw(bits: np.random.PCG64, n: int, rows: int) -> IntArray:
    """`n` whole numbers from 0 to `n` - 1 for each row, equally likely to within `n` parts in
    2**32.

    Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019), without the
    rejection step that would make them exactly uniform. Every row uses the same number of words of
    the stream.
    """
    pairs = (n + 1) // 2
    words = bits.random_raw(rows * pairs).view(np.uint32).reshape(rows, 2 * pairs)[:, :n]
    scaled = np.multiply(words, n, dtype=np.uint64)
    scaled >>= np.uint64(32)
    return scaled.view(np.int64)


class _Resampler:
    """Statistics of resamples, given as draw counts of each sale (replicate x sale).

    Sales are numbered in price order; `place` gives each one's position by ratio. Work arrays are
    reused, because for large samples allocating memory would take most of the time.
    """

    def __init__(self, appraised: FloatArray, price: FloatArray, rows: int) -> None:
        n = price.size
        self.n, self.ratio = n, appraised / price
        self.center = sorted_median(self.ratio)
        self.distance = np.abs(self.ratio - self.center)
        by_price = np.argsort(price, kind="stable")
        self.place = np.empty(n, dtype=np.int64)
        self.place[by_price] = np.arange(n)
        self.ratio_rank = by_price
        self.appraised, price = appraised[by_price], price[by_price]
        distance = self.distance[by_price]
        self.columns = (self.ratio[by_price], distance**2, self.appraised, distance)
        # Equal prices form a block and share their mean rank.
        opens = np.append(True, price[1:] != price[:-1])
        self.block = np.cumsum(opens) - 1
        self.last = np.append(np.flatnonzero(opens)[1:], n) - 1
        self.block_price = price[self.last]
        reach = int(REACH * np.sqrt(n)) // 2 + 2
        self._look_within(slice(max(0, n // 2 - reach), min(n, n // 2 + reach)))
        self.upto = np.empty((rows, n), dtype=np.int64)
        self.real = [np.empty((rows, n)) for _ in range(2)]

    def _look_within(self, window: slice) -> None:
        """Search the medians of resamples among the ratios of these ranks."""
        self.window = window
        self.below = (self.ratio_rank < window.start).astype(np.float64)

    def statistics(self, counts: IntArray) -> list[FloatArray]:
        """Each bootstrapped statistic, one figure per replicate."""
        n = self.n
        times = self.real[0][: len(counts)]
        np.copyto(times, counts)
        ratios, squares, values, spread = (_weigh(times, column) for column in self.columns)
        prices, gini_values, gini_prices = self._ginis(counts, times, values)
        mean, weighted = ratios / n, values / prices
        variance = np.maximum(squares - n * (mean - self.center) ** 2, 0.0) / max(n - 1, 1)
        median, deviation = self._dispersion(counts, times, spread)
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

    def _dispersion(
        self, counts: IntArray, times: FloatArray, spread: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Median of each resample and the sum of distances from it.

        `spread` is the sum of distances from the median of the sales: moving from one median to
        the other changes each distance by the same amount, except for sales between the two.
        """
        below = _weigh(times, self.below).astype(np.int64)
        times_inside = counts[:, self.place[self.window]]
        inside = np.cumsum(times_inside, axis=1)
        through = below + inside[:, -1]
        if (below >= (self.n + 1) // 2).any() or (through < self.n // 2 + 1).any():
            self._look_within(slice(0, self.n))
            return self._dispersion(counts, times, spread)
        drawn = inside + below[:, None]
        low = np.count_nonzero(drawn < (self.n + 1) // 2, axis=1)
        high = np.count_nonzero(drawn < self.n // 2 + 1, axis=1)
        ratio = self.ratio[self.window]
        median = (ratio[low] + ratio[high]) / 2
        moved = np.abs(ratio - median[:, None]) - self.distance[self.window]
        moved *= times_inside
        outside = (median - self.center) * (below - (self.n - through))
        return median, spread + outside + moved.sum(axis=1)

    def _ginis(
        self, counts: IntArray, times: FloatArray, values: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sum of prices, and Gini coefficients of appraised values and prices in their order."""
        n, size = self.n, len(counts)
        upto = np.cumsum(counts, axis=1, out=self.upto[:size])
        through = upto[:, self.last]
        before = np.zeros_like(through)
        before[:, 1:] = through[:, :-1]
        twice_rank = (before + through + 1).astype(np.float64)
        drawn = (through - before).astype(np.float64)
        prices = _weigh(drawn, self.block_price)
        drawn *= twice_rank
        ranked = np.take(twice_rank, self.block, axis=1, out=self.real[1][:size], mode="clip")
        ranked *= times
        with np.errstate(invalid="ignore"):
            by_value = _weigh(ranked, self.appraised) / (n * values)
            by_price = _weigh(drawn, self.block_price) / (n * prices)
        return prices, by_value - (n + 1) / n, by_price - (n + 1) / n


def _weigh(times: FloatArray, values: FloatArray) -> FloatArray:
    # einsum sums in a fixed order; a BLAS product may depend on the number of threads.
    total: FloatArray = np.einsum("ij,j->i", times, values)
    return total
