"""The ratio studies of a run: the assessor's values, and the model on sales it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from terrafusion_lib.plugins.valuation.params import Holdout, ValuationParams
from terrafusion_lib.plugins.valuation.prepare import DAYS_PER_MONTH, PreparedSales
from terrafusion_lib.plugins.valuation.uncertainty import CalibratedModel, fit_calibrated
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
    models: Mapping[str, CalibratedModel],
    params: ValuationParams,
) -> StudySales:
    """The assessor's market values against prices brought to the valuation date.

    Sales of the months around the valuation date that the parameters give (by default those of
    WAC 458-53-070) whose property is still of the type that was sold; a lot built upon since is
    another property. Types without a model keep their prices unadjusted.
    """
    found = []
    for sales in (prepared.market, prepared.later):
        day = sales.unit.day
        near = (day >= -params.study_months_before * DAYS_PER_MONTH) & (
            day < params.study_months_after * DAYS_PER_MONTH
        )
        same = sales.unit.property_type == units.property_type[sales.unit.parcel]
        found.append(_assessed(sales.take(near & same), market_value, models))
    return joined(found).usable()


def _assessed(
    sales: Sales, market_value: FloatArray, models: Mapping[str, CalibratedModel]
) -> StudySales:
    price = sales.price.copy()
    for name, calibrated in models.items():
        rows = sales.unit.property_type == name
        price[rows] *= calibrated.model.time_factor(sales.unit.take(rows))
    return StudySales(
        value=market_value[sales.unit.parcel],
        price=price,
        property_type=sales.unit.property_type,
        neighborhood=sales.unit.neighborhood,
        covered=np.zeros(len(sales), dtype=np.bool_),
    )


def holdout_sales(
    prepared: PreparedSales,
    models: Mapping[str, CalibratedModel],
    params: ValuationParams,
    seed: int,
) -> tuple[StudySales, str]:
    """The model's values on the day of each test sale against its raw price, and which sales.

    Sales on or after the valuation date are predicted by the models that make the values, which
    have not seen them; the newest earlier sales by models fitted on the older ones alone.
    """
    later = prepared.later.take(
        (prepared.later.unit.day < params.holdout_months * DAYS_PER_MONTH)
        & np.isin(prepared.later.unit.property_type.astype(str), sorted(models))
    )
    enough = len(later) >= params.min_holdout_sales
    if params.holdout is Holdout.AFTER_VALUATION_DATE or (
        params.holdout is Holdout.AUTO and enough
    ):
        tests = [_tested(models[name], later.of_type(name), params) for name in sorted(models)]
        return joined(tests).usable(), "sales on or after the valuation date"
    tests = [
        test
        for name in sorted(models)
        if (test := _newest(prepared.market.of_type(name), params, seed)) is not None
    ]
    share = f"the newest {100 * params.holdout_share:g} % of sales before the valuation date"
    return joined(tests).usable(), share


def _newest(sales: Sales, params: ValuationParams, seed: int) -> StudySales | None:
    """The newest sales of a type predicted from the older ones; None when those are too few."""
    first = np.quantile(sales.unit.day, 1 - params.holdout_share)
    older, newest = sales.take(sales.unit.day < first), sales.take(sales.unit.day >= first)
    if older.parcels() < params.min_valid_sales:
        return None
    return _tested(fit_calibrated(older, params, seed), newest, params)


def _tested(fitted: CalibratedModel, sales: Sales, params: ValuationParams) -> StudySales:
    able = sales.take(fitted.model.can_value(sales.unit))
    prediction = fitted.model.predict(able.unit)
    low, high = fitted.uncertainty.interval(prediction, params.interval_level)
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
