"""Ratio statistics of one set of sales: assessed values and prices in, one figure out.

Both arguments are positional arrays of equal length, in the same currency; a pandas index is
ignored. A missing or infinite value, a price of zero or less and a negative assessed value raise
:class:`~terrafusion_lib.stats.strata.RatioDataError`. With fewer sales than the statistic needs
(``points.MINIMUM``: one for the averages, two for dispersion, three for PRB, twenty for VEI) the
result is NaN. Source: IAAO Standard on Ratio Studies (2013), part 1 section 5 and appendix D.
"""

from collections.abc import Callable

from numpy.typing import ArrayLike

from terrafusion_lib.stats import points
from terrafusion_lib.stats.intervals import Interval, prb_interval
from terrafusion_lib.stats.strata import FloatArray, Strata, stratify
from terrafusion_lib.stats.vertical import vei as vei_of_strata


def _one(statistic: Callable[[Strata], FloatArray], assessed: ArrayLike, price: ArrayLike) -> float:
    return float(statistic(stratify(assessed, price))[0])


def median_ratio(assessed: ArrayLike, price: ArrayLike) -> float:
    """Median of assessed value / price: the level of appraisal."""
    return _one(points.median_ratio, assessed, price)


def mean_ratio(assessed: ArrayLike, price: ArrayLike) -> float:
    """Mean of assessed value / price."""
    return _one(points.mean_ratio, assessed, price)


def weighted_mean_ratio(assessed: ArrayLike, price: ArrayLike) -> float:
    """Sum of assessed values / sum of prices: each dollar counts alike."""
    return _one(points.weighted_mean_ratio, assessed, price)


def cod(assessed: ArrayLike, price: ArrayLike) -> float:
    """Coefficient of dispersion: mean absolute deviation from the median, percent of it."""
    return _one(points.cod, assessed, price)


def cov(assessed: ArrayLike, price: ArrayLike) -> float:
    """Coefficient of variation: sample standard deviation of the ratios, percent of their mean."""
    return _one(points.cov, assessed, price)


def prd(assessed: ArrayLike, price: ArrayLike) -> float:
    """Price-related differential: mean / weighted mean ratio; above 1 is regressive."""
    return _one(points.prd, assessed, price)


def prb(assessed: ArrayLike, price: ArrayLike) -> float:
    """Price-related bias: change of the ratio when values double; below 0 is regressive."""
    return _one(points.prb, assessed, price)


def mki(assessed: ArrayLike, price: ArrayLike) -> float:
    """Modified Kakwani index: Gini of values / Gini of prices; below 1 is regressive."""
    return _one(points.mki, assessed, price)


def ki(assessed: ArrayLike, price: ArrayLike) -> float:
    """Kakwani index: Gini of values - Gini of prices; below 0 is regressive."""
    return _one(points.ki, assessed, price)


def vei(assessed: ArrayLike, price: ArrayLike) -> float:
    """Vertical equity indicator of the IAAO exposure drafts, percent; below 0 is regressive."""
    return float(vei_of_strata(stratify(assessed, price)).estimate[0])


def share_within(assessed: ArrayLike, price: ArrayLike, tolerance: float) -> float:
    """Share of sales, 0 to 1, whose ratio lies within `tolerance` of the median ratio."""
    return float(points.share_within(stratify(assessed, price), tolerance)[0])


def prb_confidence_interval(
    assessed: ArrayLike, price: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Confidence interval of PRB: the t-interval of the regression slope."""
    low, high = prb_interval(points.prb_slope(stratify(assessed, price)), confidence)
    return Interval(float(low[0]), float(high[0]))
