"""The market index: price level by area and month relative to the valuation date, with intervals.

It is the time component of each market's regression, the same factors that adjust comparables,
models and ratio studies for time; traits, location and use are held constant.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from terrafusion_lib.plugins.valuation.model.design import ITEMS, TIME, indicators, labels_as_codes
from terrafusion_lib.plugins.valuation.model.market_model import MarketModel
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.subjects import TextArray
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray
from terrafusion_lib.stats.study import ALL

LEVEL = 0.95
MIDDLE_OF_MONTH = 14

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class MarketIndex:
    """Index of one market in long form, by area, then month.

    `area` is ``all`` or a neighborhood, `month` the first day of a month (its middle is measured),
    `sales` how many valid sales that month and area had. `index` is 1 at the valuation date; the
    true index lies between `low` and `high` with 95 percent confidence.
    """

    market: str
    area: TextArray
    month: Days
    sales: IntArray
    index: FloatArray
    low: FloatArray
    high: FloatArray


def market_index(market: Market, valuation_date: date) -> MarketIndex | None:
    """The index of a market, from its first sale's month to that of the valuation date.

    A market that borrows a larger market's trend has the variance of both. None if prices are not
    adjusted for time.
    """
    model = market.model
    if model.hedonic.design.time_knots is None:
        return None
    neighborhoods = model.hedonic.design.neighborhoods
    months = _months(model, valuation_date)
    areas: TextArray = np.array([None, *neighborhoods], dtype=object)
    area, month = np.repeat(areas, months.size), np.tile(months, areas.size)
    since = (month - np.datetime64(valuation_date.isoformat())) / np.timedelta64(1, "D")
    day = np.minimum(since + MIDDLE_OF_MONTH, 0.0)
    effect, variance = _effect(model, area, day)
    if market.lead is not None:
        lent, doubt = _effect(market.lead, area, day)
        effect, variance = effect + lent, variance + doubt
    reach = norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance)
    return MarketIndex(
        market=market.name,
        area=np.array([ALL if name is None else name for name in area], dtype=object),
        month=month,
        sales=_counts(model, neighborhoods, months),
        index=reproducible.exp(effect),
        low=reproducible.exp(effect - reach),
        high=reproducible.exp(effect + reach),
    )


def _months(model: MarketModel, valuation_date: date) -> Days:
    first = model.sales.sale_date.min().astype("datetime64[M]")
    last = np.datetime64(valuation_date, "M")
    return np.arange(first, last + 1).astype("datetime64[D]")


def _effect(model: MarketModel, area: TextArray, day: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log of each day's price level relative to the valuation date, and its variance."""
    design = model.hedonic.design
    if design.time_knots is None:
        return np.zeros(day.size), np.zeros(day.size)
    inside = indicators(area, design.neighborhoods)
    columns = design.time_columns(day, inside) - design.time_columns(np.zeros(day.size), inside)
    own = design.item == ITEMS.index(TIME)
    effect = reproducible.product(columns, model.hedonic.coefficients[own])
    variance = np.einsum("ij,jk,ik->i", columns, model.covariance[np.ix_(own, own)], columns)
    return effect, np.maximum(variance, 0.0)


def _counts(model: MarketModel, neighborhoods: tuple[str, ...], months: Days) -> IntArray:
    """Sales by area (all first) and month."""
    area = labels_as_codes(model.sales.unit.neighborhood, neighborhoods)
    at = np.searchsorted(months, model.sales.sale_date, side="right") - 1
    known = area >= 0
    own = np.bincount(
        area[known] * months.size + at[known], minlength=len(neighborhoods) * months.size
    )
    return np.concatenate([np.bincount(at, minlength=months.size), own])
