"""Ratio statistics of one set of sales: appraised values and prices in, one figure out.

Both arguments are positional arrays of equal length, in the same currency; a pandas index is
ignored. A missing or infinite value, a price of zero or less and a negative appraised value raise
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


def _one(
    statistic: Callable[[Strata], FloatArray], appraised: ArrayLike, price: ArrayLike
) -> float:
    return float(statistic(stratify(appraised, price))[0])


def median_ratio(appraised: ArrayLike, price: ArrayLike) -> float:
    """Median of appraised value / price: the level of appraisal."""
    return _one(points.median_ratio, appraised, price)


def mean_ratio(appraised: ArrayLike, price: ArrayLike) -> float:
    """Mean of appraised value / price."""
    return _one(points.mean_ratio, appraised, price)


def weighted_mean_ratio(appraised: ArrayLike, price: ArrayLike) -> float:
    """Sum of appraised values / sum of prices: every dollar has equal weight."""
    return _one(points.weighted_mean_ratio, appraised, price)


def cod(appraised: ArrayLike, price: ArrayLike) -> float:
    """Coefficient of dispersion: average absolute deviation from the median, percent of it."""
    return _one(points.cod, appraised, price)


def cov(appraised: ArrayLike, price: ArrayLike) -> float:
    """Coefficient of variation: sample standard deviation of the ratios, percent of their mean."""
    return _one(points.cov, appraised, price)


def prd(appraised: ArrayLike, price: ArrayLike) -> float:
    """Price-related differential: mean / weighted mean ratio; above 1 is regressive."""
    return _one(points.prd, appraised, price)


def prb(appraised: ArrayLike, price: ArrayLike) -> float:
    """Price-related bias: change of the ratio when values double; below 0 is regressive."""
    return _one(points.prb, appraised, price)


def mki(appraised: ArrayLike, price: ArrayLike) -> float:
    """Modified Kakwani index: Gini of values / Gini of prices; below 1 is regressive."""
    return _one(points.mki, appraised, price)


def ki(appraised: ArrayLike, price: ArrayLike) -> float:
    """Kakwani index: Gini of values - Gini of prices; below 0 is regressive."""
    return _one(points.ki, appraised, price)


def vei(appraised: ArrayLike, price: ArrayLike) -> float:
    """Vertical equity indicator of the IAAO exposure drafts, percent; below 0 is regressive."""
    return float(vei_of_strata(stratify(appraised, price)).estimate[0])


def share_within(appraised: ArrayLike, price: ArrayLike, tolerance: float) -> float:
    """Share of sales, 0 to 1, whose ratio lies within `tolerance` of the median ratio."""
    return float(points.share_within(stratify(appraised, price), tolerance)[0])


def prb_confidence_interval(
    appraised: ArrayLike, price: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Confidence interval of PRB: the t-interval of the regression slope."""
    low, high = prb_interval(points.prb_slope(stratify(appraised, price)), confidence)
    return Interval(float(low[0]), float(high[0]))
