"""Are all sales there? Sales by month and area against what the other months let expect."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, poisson

from terrafusion_lib.plugins.valuation.model.hedonic import robust_deviation
from terrafusion_lib.plugins.valuation.subjects import Sales, TextArray, absent
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray
from terrafusion_lib.stats.study import ALL

TAIL = 0.001
"""Chance of a false alarm on either side of an honest month."""
MIN_EXPECTED = 5.0


@dataclass(frozen=True)
class Completeness:
    """Valid sales by area and month, in this order.

    `expected` is the area's share of sales times the county's sales of that month; for the county
    as a whole (``all``) the median of the months. Outside `low` to `high` a month is an alarm:
    affidavits not yet entered, a batch entered twice, or codes not yet given.
    """

    area: TextArray
    month: np.ndarray
    sales: IntArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def alarm(self) -> BoolArray:
        """Months with far too few or far too many sales."""
        told = self.expected >= MIN_EXPECTED
        outside = (self.sales < self.low) | (self.sales > self.high)
        return np.asarray(told & outside, dtype=np.bool_)


def completeness(sales: Sales) -> Completeness:
    """Count and judge every area and month from the first to the last sale.

    The spread of a month is that of a Poisson count, widened for the county as a whole by how much
    its months scatter anyway (season, market).
    """
    names = np.where(absent(sales.unit.neighborhood), "none", sales.unit.neighborhood)
    areas, area = np.unique(names.astype(str), return_inverse=True)
    if len(sales) == 0:
        none = np.zeros(0)
        empty: TextArray = np.zeros(0, dtype=object)
        return Completeness(empty, none.astype("datetime64[D]"), none.astype(int), none, none, none)
    month = sales.sale_date.astype("datetime64[M]").astype(np.int64)
    first, count = int(month.min()), int(month.max() - month.min()) + 1
    by_area = np.zeros((areas.size, count), dtype=np.int64)
    np.add.at(by_area, (area, month - first), 1)
    total = by_area.sum(axis=0)
    usual = np.full(count, np.median(total))
    scatter = robust_deviation(total.astype(np.float64))
    wide = np.maximum(np.sqrt(usual), scatter) * float(norm.ppf(1 - TAIL))
    share = by_area.sum(axis=1, keepdims=True) / total.sum()
    expected = share * total
    low, high = poisson.ppf(TAIL, expected), poisson.ppf(1 - TAIL, expected)
    months = (first + np.arange(count)).astype("datetime64[M]").astype("datetime64[D]")
    return Completeness(
        area=np.repeat(np.array([ALL, *areas], dtype=object), count),
        month=np.tile(months, areas.size + 1),
        sales=np.concatenate([total, by_area.ravel()]),
        expected=np.concatenate([usual, expected.ravel()]),
        low=np.concatenate([np.maximum(usual - wide, 0.0), low.ravel()]),
        high=np.concatenate([usual + wide, high.ravel()]),
    )
