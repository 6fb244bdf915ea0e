"""Confidence intervals of ratio statistics.

Median: exact, by order statistics. PRB: t-interval of the regression slope. Shares: exact
binomial (Clopper and Pearson, 1934). The rest: seeded percentile bootstrap (Efron, 1979).
"""

from bisect import bisect_right
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, betaincinv, stdtrit

from terrafusion_lib.stats.ordering import quantiles
from terrafusion_lib.stats.points import Slope
from terrafusion_lib.stats.strata import FloatArray, IntArray


class Interval(NamedTuple):
    """Lower and upper end; NaN with too few sales."""

    low: float
    high: float


NONE = Interval(float("nan"), float("nan"))


def median_interval(sorted_values: FloatArray, confidence: float = 0.95) -> Interval:
    """Exact confidence interval of a median from order statistics.

    Ranks k and n + 1 - k with the largest k such that the binomial(n, 1/2) probability of fewer
    than k observations below the median stays within half of 1 - `confidence`. Coverage is
    therefore at least `confidence` for any distribution. NaN when even the extremes are not enough
    (below six sales at 95 percent).
    """
    n = sorted_values.size
    rank = _median_rank(n, confidence)
    if rank == 0:
        return NONE
    return Interval(float(sorted_values[rank - 1]), float(sorted_values[n - rank]))


@cache
def _median_rank(n: int, confidence: float) -> int:
    """The largest rank k with P(binomial(n, 1/2) < k) <= (1 - confidence) / 2; 0 when none."""
    tail = (1 - confidence) / 2
    return bisect_right(range(n // 2 + 1), tail, key=lambda k: float(bdtr(k, n, 0.5))) if n else 0


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


def percentile_intervals(replicates: FloatArray, confidence: float = 0.95) -> list[Interval]:
    """Percentile interval of each row of bootstrap replicates; NaN when one is undefined."""
    tail = (1 - confidence) / 2
    ends = quantiles(replicates, (tail, 1 - tail))
    ends[~np.isfinite(replicates).all(axis=1)] = np.nan
    return [Interval(low, high) for low, high in ends.tolist()]
