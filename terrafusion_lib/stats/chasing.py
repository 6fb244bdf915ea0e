"""Indicators of sales chasing: setting the values of sold properties to their sale prices.

Sales chasing makes a study look better than the roll. The techniques follow the IAAO Standard on
Ratio Studies (2013), appendix E: value changes of sold and unsold properties, ratios of sales
before and after the valuation date, and too many ratios near 1. Each figure has an interval. The
standard sets no limits; TerraFusion's are in `standards.py`.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from terrafusion_lib.stats.intervals import Interval, median_interval, percentile_intervals
from terrafusion_lib.stats.ordering import FloatArray, sorted_median
from terrafusion_lib.stats.points import cod
from terrafusion_lib.stats.resampling import BOOTSTRAPPED, bootstrap
from terrafusion_lib.stats.strata import stratify

PRICE_BUNCHING = "price_bunching"
SOLD_UNSOLD_CHANGE = "sold_unsold_change"
LATER_COD = "later_cod"
BAND = 0.04
"""Width of a band of ratios; the middle band is within 0.02 of 1."""
MIN_IN_BANDS = 25
"""Minimum sales in the five bands around 1."""
MIN_SALES = 20
"""Minimum sales (or unsold properties) on each side of a comparison."""

Signal = tuple[float, Interval]
"""An estimate and its interval; NaN with too few sales."""
UNKNOWN: Signal = (float("nan"), Interval(float("nan"), float("nan")))


def price_bunching(appraised: ArrayLike, price: ArrayLike, *, confidence: float = 0.95) -> Signal:
    """Number of ratios within 0.02 of 1 divided by the number expected from adjacent bands.

    The expectation is the smooth curve (log-quadratic, so exact for a normal distribution) through
    the two bands on each side. The result is about 1 without chasing, slightly more if ratios are
    peaked. Prices are unadjusted: after time adjustment, a chased ratio is no longer 1.

    Raises
    ------
    RatioDataError
        A pair is unusable.
    """
    ratio = stratify(appraised, price).ratio
    edges = 1 + BAND * np.arange(-2.5, 3)
    count = np.diff(np.searchsorted(ratio, edges)).astype(np.float64)
    if count.sum() < MIN_IN_BANDS:
        return UNKNOWN
    # Half a sale added to each, so that a band emptied by chasing has a logarithm.
    far, near, center = count[[0, 4]] + 0.5, count[[1, 3]] + 0.5, float(count[2]) + 0.5
    expected = (4 * np.log(near).mean() - np.log(far).mean()) / 3
    variance = 1 / center + (4 * (1 / near).sum() + (1 / far).sum() / 4) / 9
    reach = float(ndtri((1 + confidence) / 2)) * np.sqrt(variance)
    logs = np.log(center) - expected + np.array([0.0, -reach, reach])
    estimate, low, high = np.exp(logs).tolist()
    return estimate, Interval(low, high)


def sold_unsold_change(sold: ArrayLike, unsold: ArrayLike, *, confidence: float = 0.95) -> Signal:
    """Median value change of sold properties less that of unsold ones, percentage points.

    Parameters
    ----------
    sold, unsold : array-like
        New value / former value of properties without new construction. Non-finite ratios are
        ignored.
    """
    ends = [np.sort(_finite(values)) for values in (sold, unsold)]
    if min(values.size for values in ends) < MIN_SALES:
        return UNKNOWN
    difference = 100 * (sorted_median(ends[0]) - sorted_median(ends[1]))
    # Half-widths of independent medians add in squares, as standard errors do.
    widths = [np.diff(median_interval(values, confidence)) / 2 for values in ends]
    reach = 100 * float(np.hypot(*widths)[0])
    return difference, Interval(difference - reach, difference + reach)


def later_cod(
    before: tuple[ArrayLike, ArrayLike],
    after: tuple[ArrayLike, ArrayLike],
    *,
    replicates: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Signal:
    """COD of sales after the valuation date / COD of sales before it.

    Parameters
    ----------
    before, after : pair of array-like
        Appraised values and prices, adjusted to one date, of sales before and after the values
        were set.
    """
    parts = [stratify(*pair) for pair in (before, after)]
    if min(part.ratio.size for part in parts) < MIN_SALES:
        return UNKNOWN
    earlier, later = (float(cod(part)[0]) for part in parts)
    if not earlier > 0:
        return UNKNOWN
    if replicates == 0:
        return later / earlier, UNKNOWN[1]
    place = BOOTSTRAPPED.index("cod")
    drawn = [
        bootstrap(part.appraised, part.price, replicates=replicates, seed=[seed, side])[place]
        for side, part in enumerate(parts)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = drawn[1] / drawn[0]
    return later / earlier, percentile_intervals(ratios[None], confidence)[0]


def _finite(values: ArrayLike) -> FloatArray:
    finite = np.asarray(values, dtype=np.float64)
    return finite[np.isfinite(finite)]
