"""The ratio studies of a run: the assessor's values, and the model on sales it had not seen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

import numpy as np

from terrafusion_lib.plugins.valuation.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import Holdout, ValuationParams
from terrafusion_lib.plugins.valuation.prepare import DAYS_PER_MONTH, PreparedSales
from terrafusion_lib.plugins.valuation.units import Sales, TextArray, Units
from terrafusion_lib.stats.strata import BoolArray, FloatArray, usable
from terrafusion_lib.stats.study import StudyOptions, ratio_study

ASSESSED, MODEL_HOLDOUT = "assessed", "model_holdout"
DECILES = 10


@dataclass(frozen=True)
class StudySales:
    """Sales of one study: values against prices, and what stratifies them.

    `covered` says whether the price lay within the value's prediction interval; all False where
    the values have none.
    """

    value: FloatArray
    price: FloatArray
    property_type: TextArray
    neighborhood: TextArray
    covered: BoolArray

    def __len__(self) -> int:
        return int(self.value.size)

    def usable(self) -> "StudySales":
        """Those with a value of zero or more and a price above zero."""
        rows = usable(self.value, self.price)
        return StudySales(*(getattr(self, field.name)[rows] for field in fields(self)))

    def statistics(self, study: str, options: StudyOptions) -> dict[str, list[object]]:
        """The study overall, by property type, neighbourhood and tenth of value."""
        groups = {
            "property_type": self.property_type.tolist(),
            "neighborhood_code": self.neighborhood.tolist(),
            "value_decile": value_deciles(self.value, self.price),
        }
        return ratio_study(self.value, self.price, groups, study=study, options=options)


def value_deciles(value: FloatArray, price: FloatArray) -> list[str]:
    """Tenth of each sale, 01 the least valuable.

    Sales are ranked by half their price and half their value at the median level, so that neither
    an error of the price nor one of the value decides alone.
    """
    if value.size == 0:
        return []
    median = float(np.median(value / price))
    proxy = price + value / median if median > 0 else price
    tenth = np.empty(value.size, dtype=np.int64)
    tenth[np.argsort(proxy, kind="stable")] = np.arange(value.size) * DECILES // value.size + 1
    return [f"{number:02d}" for number in tenth.tolist()]


def assessed_sales(
    prepared: PreparedSales,
    units: Units,
    market_value: FloatArray,
    markets: Mapping[str, Market],
    params: ValuationParams,
) -> StudySales:
    """The assessor's market values against prices brought to the valuation date.

    Sales of the months around the valuation date that the parameters give (by default those of
    WAC 458-53-070) whose property is still of the market that it was sold in; a lot built upon
    since is another property. Markets without a model keep their prices unadjusted.
    """
    found = []
    for sales in (prepared.market, prepared.later):
        day = sales.unit.day
        near = (day >= -params.study_months_before * DAYS_PER_MONTH) & (
            day < params.study_months_after * DAYS_PER_MONTH
        )
        same = sales.unit.market == units.market[sales.unit.parcel]
        found.append(_assessed(sales.take(near & same), market_value, markets))
    return joined(found).usable()


def _assessed(sales: Sales, market_value: FloatArray, markets: Mapping[str, Market]) -> StudySales:
    price = sales.price.copy()
    for name, market in markets.items():
        rows = sales.unit.market == name
        price[rows] *= market.time_factor(sales.unit.take(rows))
    return StudySales(
        value=market_value[sales.unit.parcel],
        price=price,
        property_type=sales.unit.property_type,
        neighborhood=sales.unit.neighborhood,
        covered=np.zeros(len(sales), dtype=np.bool_),
    )


def holdout_sales(
    prepared: PreparedSales,
    markets: Mapping[str, Market],
    names: Collection[str],
    params: ValuationParams,
    seed: int,
) -> tuple[StudySales, str]:
    """The model's values on the day of each test sale against its raw price, and which sales.

    Sales on or after the valuation date are predicted by the models that make the values, which
    have not seen them; the newest earlier sales by models fitted on the older ones alone. Only
    markets in `names` are tested: those whose values come from their models.
    """
    later = prepared.later
    later = later.take(
        (later.unit.day < params.holdout_months * DAYS_PER_MONTH)
        & np.isin(later.unit.market.astype(str), sorted(names))
    )
    after = params.holdout is Holdout.AFTER_VALUATION_DATE
    if params.holdout is Holdout.AUTO:
        after = len(later) >= params.min_holdout_sales
    if after:
        tests = [_tested(markets[name], later.of_market(name), params) for name in sorted(names)]
        return joined(tests).usable(), "sales on or after the valuation date"
    tests = _newest(prepared.market, names, params, seed)
    share = f"the newest {100 * params.holdout_share:g} % of sales before the valuation date"
    return joined(tests).usable(), share


def _newest(
    sales: Sales, names: Collection[str], params: ValuationParams, seed: int
) -> list[StudySales]:
    """The newest sales predicted from the older ones, market by market."""
    if len(sales) == 0:
        return []
    first = np.quantile(sales.unit.day, 1 - params.holdout_share)
    older, newest = sales.take(sales.unit.day < first), sales.take(sales.unit.day >= first)
    markets = fit_markets(older, params, seed)
    return [
        _tested(markets[name], newest.of_market(name), params)
        for name in sorted(set(names) & set(markets))
    ]


def _tested(market: Market, sales: Sales, params: ValuationParams) -> StudySales:
    able = sales.take(market.model.can_value(sales.unit))
    prediction = market.predict(able.unit)
    low, high = market.uncertainty.interval(prediction, params.interval_level)
    return StudySales(
        value=prediction.value,
        price=able.price,
        property_type=able.unit.property_type,
        neighborhood=able.unit.neighborhood,
        covered=(able.price >= low) & (able.price <= high),
    )


def joined(parts: list[StudySales]) -> StudySales:
    """All sales together."""
    empty = StudySales(
        np.zeros(0), np.zeros(0), _no_text(), _no_text(), np.zeros(0, dtype=np.bool_)
    )
    together = [empty, *parts]
    return StudySales(
        *(
            np.concatenate([getattr(part, field.name) for part in together])
            for field in fields(StudySales)
        )
    )


def _no_text() -> TextArray:
    return np.empty(0, dtype=object)
