"""The ratio studies of a run: the assessor's values, and the model on holdout sales."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.markets import (
    Market,
    fit_markets,
    prices_at_valuation_date,
)
from terrafusion_lib.plugins.valuation.params import Holdout as HoldoutChoice
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales
from terrafusion_lib.plugins.valuation.subjects import (
    DAYS_PER_MONTH,
    Rows,
    Sales,
    Subjects,
    TextArray,
)
from terrafusion_lib.stats.strata import FloatArray, usable
from terrafusion_lib.stats.study import StudyOptions, ratio_study

APPRAISED, MODEL_HOLDOUT = "appraised", "model_holdout"
DECILES = 10


@dataclass(frozen=True)
class StudySales(Rows):
    """Sales of one study: the property sold, its value, and the price for the ratio.

    `price` is adjusted to the valuation date if the study says so, otherwise unadjusted, US
    dollars; `covered` says whether it was within the value's prediction interval (1, 0, NaN
    without one).
    """

    sales: Sales
    value: FloatArray
    price: FloatArray
    covered: FloatArray

    def __len__(self) -> int:
        return int(self.value.size)

    @property
    def property_type(self) -> TextArray:
        """Property type of each sale."""
        return self.sales.unit.property_type

    def usable(self) -> "StudySales":
        """Those with a value of zero or more and a price above zero."""
        return self.take(usable(self.value, self.price))

    def statistics(self, study: str, options: StudyOptions) -> dict[str, list[object]]:
        """The study overall, by property type, neighborhood and value decile."""
        groups = {
            "property_type": self.property_type.tolist(),
            "neighborhood_code": self.sales.unit.neighborhood.tolist(),
            "value_decile": value_deciles(self.value, self.price),
        }
        return ratio_study(self.value, self.price, groups, study=study, options=options)


def value_deciles(value: FloatArray, price: FloatArray) -> list[str]:
    """Value decile of each sale, 01 the lowest. Sales are ranked by the average of price and value
    at the median level, so that neither a price error nor a value error decides alone.
    """
    if value.size == 0:
        return []
    median = float(np.median(value / price))
    proxy = price + value / median if median > 0 else price
    tenth = np.empty(value.size, dtype=np.int64)
    tenth[np.argsort(proxy, kind="stable")] = np.arange(value.size) * DECILES // value.size + 1
    return [f"{number:02d}" for number in tenth.tolist()]


def appraised_sales(
    prepared: PreparedSales,
    units: Subjects,
    market_value: FloatArray,
    markets: Mapping[str, Market],
    params: ValuationParams,
) -> StudySales:
    """The assessor's market values against prices adjusted to the valuation date.

    Sales of the months around the valuation date that the parameters give, whose property is still
    of the market that it was sold in; a lot built upon since is another property. Markets without
    a model keep their prices unadjusted.
    """
    parts = []
    for sales in (prepared.market, prepared.later):
        day = sales.unit.day
        near = (day >= -params.study_months_before * DAYS_PER_MONTH) & (
            day < params.study_months_after * DAYS_PER_MONTH
        )
        same = sales.unit.market == units.market[sales.unit.parcel]
        parts.append(_appraised(sales.take(near & same), market_value, markets))
    return StudySales.join(parts).usable()


def _appraised(sales: Sales, market_value: FloatArray, markets: Mapping[str, Market]) -> StudySales:
    return StudySales(
        sales=sales,
        value=market_value[sales.unit.parcel],
        price=prices_at_valuation_date(sales, markets),
        covered=np.full(len(sales), np.nan),
    )


@dataclass(frozen=True)
class Holdout:
    """Holdout sales by market, and the models that had not seen them. `test` describes the sales;
    `sales` has only markets with a sale.
    """

    test: str
    markets: Mapping[str, Market]
    sales: Mapping[str, Sales]

    def study(self, params: ValuationParams) -> StudySales | None:
        """The models' values as of each sale date against unadjusted prices; None without sales."""
        tested = [_tested(self.markets[name], sales, params) for name, sales in self.sales.items()]
        return StudySales.join(tested).usable() if tested else None


def holdout(
    prepared: PreparedSales,
    markets: Mapping[str, Market],
    names: Collection[str],
    params: ValuationParams,
    *,
    seed: int,
    threads: int = 1,
) -> Holdout:
    """Select holdout sales and models. Sales on or after the valuation date test the models that
    produce the values; otherwise the newest earlier sales test models fitted only on older ones.
    Only markets in
    `names` are tested: those whose values come from their models.
    """
    later = prepared.later
    later = later.take(
        (later.unit.day < params.holdout_months * DAYS_PER_MONTH)
        & np.isin(later.unit.market.astype(str), sorted(names))
    )
    after = params.holdout is HoldoutChoice.AFTER_VALUATION_DATE
    if params.holdout is HoldoutChoice.AUTO:
        after = len(later) >= params.min_holdout_sales
    if after:
        return _of_markets("sales on or after the valuation date", markets, later, names)
    older, newest = _newest(prepared.market, params)
    fitted = fit_markets(older, params, seed, threads=threads) if len(older) else {}
    test = f"the newest {100 * params.holdout_share:g} % of sales before the valuation date"
    return _of_markets(test, fitted, newest, set(names) & set(fitted))


def _newest(sales: Sales, params: ValuationParams) -> tuple[Sales, Sales]:
    """Older and newest sales."""
    if len(sales) == 0:
        return sales, sales
    first = np.quantile(sales.unit.day, 1 - params.holdout_share)
    return sales.take(sales.unit.day < first), sales.take(sales.unit.day >= first)


def _of_markets(
    test: str, markets: Mapping[str, Market], sales: Sales, names: Collection[str]
) -> Holdout:
    """The sales of each market that its model can value."""
    parts = {}
    for name in sorted(names):
        own = sales.of_market(name)
        able = own.take(markets[name].model.can_value(own.unit))
        if len(able):
            parts[name] = able
    return Holdout(test, {name: markets[name] for name in parts}, parts)


def _tested(market: Market, sales: Sales, params: ValuationParams) -> StudySales:
    prediction = market.predict(sales.unit)
    low, high = market.uncertainty.interval(sales.unit, prediction, params.interval_level)
    return StudySales(
        sales=sales,
        value=prediction.value,
        price=sales.price,
        covered=((sales.price >= low) & (sales.price <= high)).astype(np.float64),
    )
