"""Point statistics of a ratio study, for all strata at once.

Every function takes :class:`~terrafusion_lib.stats.strata.Strata` and returns one figure per
stratum, NaN where the stratum has fewer sales than the statistic needs (`MINIMUM`). The formulas
are those of the IAAO Standard on Ratio Studies (2013), part 1 section 5 and appendix D.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.stats.strata import FloatArray, IntArray, Strata

SHARES = {"share_within_5": 0.05, "share_within_10": 0.10, "share_within_20": 0.20}


def _at_least(strata: Strata, minimum: int, figures: FloatArray) -> FloatArray:
    return np.where(strata.n >= minimum, figures, np.nan)


def _positive(figures: FloatArray) -> FloatArray:
    """A divisor with NaN instead of zero, so that undefined results are NaN, not infinite."""
    return np.where(figures > 0, figures, np.nan)


def median_ratio(strata: Strata) -> FloatArray:
    """Median of appraised value / price."""
    return strata.median


def mean_ratio(strata: Strata) -> FloatArray:
    """Mean of appraised value / price."""
    with np.errstate(invalid="ignore"):
        return strata.sums(strata.ratio) / strata.n


def weighted_mean_ratio(strata: Strata) -> FloatArray:
    """Sum of appraised values / sum of prices."""
    with np.errstate(invalid="ignore"):
        return strata.sums(strata.appraised) / strata.sums(strata.price)


def cod(strata: Strata) -> FloatArray:
    """Coefficient of dispersion: average absolute deviation from the median, percent of it."""
    deviation = strata.sums(strata.deviation)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = 100 * deviation / strata.n / _positive(strata.median)
    return _at_least(strata, MINIMUM["cod"], figures)


def cov(strata: Strata) -> FloatArray:
    """Coefficient of variation: sample standard deviation, percent of the mean."""
    mean = mean_ratio(strata)
    beyond = strata.ratio - strata.spread(mean)
    squares = strata.sums(np.square(beyond, out=beyond))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(squares / (strata.n - 1))
        return _at_least(strata, MINIMUM["cov"], 100 * deviation / _positive(mean))


def prd(strata: Strata) -> FloatArray:
    """Price-related differential: mean ratio / weighted mean ratio; above 1 is regressive."""
    with np.errstate(invalid="ignore", divide="ignore"):
        weighted = _positive(weighted_mean_ratio(strata))
        return _at_least(strata, MINIMUM["prd"], mean_ratio(strata) / weighted)


@dataclass(frozen=True)
class Slope:
    """Price-related bias by stratum: slope, its standard error and degrees of freedom."""

    estimate: FloatArray
    standard_error: FloatArray
    degrees: IntArray


def prb_slope(strata: Strata) -> Slope:
    """Least-squares slope of (ratio - median) / median on log2 of the value proxy.

    A slope of -0.05: ratios fall by 5 percent when values double. NaN below three
    sales, when all proxies are equal, or when the median ratio is zero.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        y = strata.ratio * strata.spread(1 / _positive(strata.median))
        x = np.log2(strata.value_proxy)
        x -= strata.spread(strata.sums(x) / strata.n)
        y -= strata.spread(strata.sums(y) / strata.n)
        spread = strata.sums(x * x)
        spread = np.where(spread > 1e-18 * np.maximum(strata.n, 1), spread, np.nan)
        slope = strata.sums(x * y) / spread
        y -= strata.spread(slope) * x
        error = np.sqrt(strata.sums(y * y) / np.maximum(strata.n - 2, 1) / spread)
    enough = MINIMUM["prb"]
    return Slope(_at_least(strata, enough, slope), _at_least(strata, enough, error), strata.n - 2)


def prb(strata: Strata) -> FloatArray:
    """Coefficient of price-related bias (slope only)."""
    return prb_slope(strata).estimate


def mki(strata: Strata) -> FloatArray:
    """Modified Kakwani index: Gini of appraised values / Gini of prices; below 1 is regressive.

    Quintos, "A Gini measure for vertical equity in property assessments", Journal of Property Tax
    Assessment & Administration 17(2), 2020. Equal prices share their mean rank. NaN when all
    prices are equal.
    """
    appraised, price = strata.ginis
    with np.errstate(invalid="ignore", divide="ignore"):
        index = appraised / np.where(np.abs(price) > 1e-12, price, np.nan)
    return _at_least(strata, MINIMUM["mki"], index)


def ki(strata: Strata) -> FloatArray:
    """Kakwani index: Gini of appraised values - Gini of prices; below 0 is regressive."""
    appraised, price = strata.ginis
    return _at_least(strata, MINIMUM["ki"], appraised - price)


def share_within(strata: Strata, tolerance: float) -> FloatArray:
    """Share of sales whose ratio lies within `tolerance` of the median ratio, 0 to 1, inclusive."""
    # A ratio exactly at the tolerance must count despite rounding in the last bit.
    reach = strata.spread(tolerance * (1 + 1e-12) * strata.median)
    near = (strata.deviation <= reach).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return strata.sums(near) / strata.n


MINIMUM = {
    "median_ratio": 1,
    "mean_ratio": 1,
    "weighted_mean_ratio": 1,
    "cod": 2,
    "cov": 2,
    "prd": 2,
    "prb": 3,
    "vei": 20,
    "mki": 2,
    "ki": 2,
    **dict.fromkeys(SHARES, 1),
}
"""Minimum sales for each statistic; with fewer, it is NaN."""

POINTS: dict[str, Callable[[Strata], FloatArray]] = {
    "median_ratio": median_ratio,
    "mean_ratio": mean_ratio,
    "weighted_mean_ratio": weighted_mean_ratio,
    "cod": cod,
    "cov": cov,
    "prd": prd,
    "prb": prb,
    "mki": mki,
    "ki": ki,
}
