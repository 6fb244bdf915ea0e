"""Compares models on the same holdout sales."""

from collections.abc import Sequence

import numpy as np

from terrafusion_lib.plugins.valuation.model.boosting import boost
from terrafusion_lib.plugins.valuation.model.ensemble import COMPARABLE_SALES
from terrafusion_lib.plugins.valuation.model.equity import calibrate
from terrafusion_lib.plugins.valuation.model.markets import Market, lend
from terrafusion_lib.plugins.valuation.model.ordinary_regression import ordinary_regression
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.study.studies import Holdout
from terrafusion_lib.plugins.valuation.subjects import Sales, TextArray
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, usable
from terrafusion_lib.stats.study import StudyOptions, ratio_study

APPRAISED, MEDIAN_RATE, HEDONIC, BOOSTING = (
    "appraised",
    "median_rate",
    "hedonic",
    "gradient_boosting",
)
EQUITY_FRONT = (0.0, 0.25, 0.5, 0.75, 1.0)
_INTERVALS = {"median_ratio": "median", "cod": "cod", "prb": "prb"}


def leaderboard(
    tests: Holdout,
    market_value: FloatArray,
    params: ValuationParams,
    *,
    seed: int,
    options: StudyOptions,
) -> list[dict[str, object]]:
    """Rows of the result table ``model_leaderboard`` without run and county, best COD first.

    In addition to the run's own values: the assessor's, the neighborhood's median price per square
    foot, the textbook regression, the comparables alone, the trees alone, and the ensemble at
    other settings of the equity calibration, which show the cost of equity in accuracy.

    Parameters
    ----------
    market_value : array
        The assessor's market values, US dollars, by row of the properties table
        (``Subjects.parcel``).
    """
    rows = []
    for name, sales in tests.sales.items():
        market = tests.markets[name]
        values = _values(market, sales, market_value, params, seed)
        shared = np.logical_and.reduce([usable(value, sales.price) for value in values.values()])
        if not shared.any():
            continue
        found = [
            _row(model, value[shared], sales.price[shared], options)
            for model, value in values.items()
        ]
        for row in sorted(found, key=lambda row: (row["cod"] is None, row["cod"], row["model"])):
            published = row["model"] == market.ensemble.method
            rows.append({"market": name, "test": tests.test, "published": published} | row)
    return rows


def _values(
    market: Market,
    sales: Sales,
    market_value: FloatArray,
    params: ValuationParams,
    seed: int,
) -> dict[str, FloatArray]:
    """Values of the sales by every model that the market allows, US dollars."""
    prediction, train = market.predict(sales.unit), market.sales
    values = {
        COMPARABLE_SALES: prediction.comparable_value,
        market.ensemble.method: prediction.value,
        HEDONIC: ordinary_regression(train).predict(sales.unit),
    }
    appraised = market_value[sales.unit.parcel]
    if usable(appraised, sales.price).mean() > 0.5:
        values[APPRAISED] = appraised
    if np.isfinite(train.unit.trait("building_area_sqft")).mean() > 0.5:
        values[MEDIAN_RATE] = _median_rate(train, sales)
    if market.ensemble.booster and prediction.signals is not None:
        units = lend(market.lead, sales.unit)
        first = market.out_of_fold.comparables.signals
        level = market.model.hedonic.time_effect(train.unit)
        alone = boost(
            first,
            reproducible.log(train.price) - level,
            seed,
            market.ensemble.booster.used,
            settings=params.trees,
        )
        day = market.model.hedonic.time_effect(units)
        values[BOOSTING] = reproducible.exp(alone.predict(prediction.signals) + day)
    return values | _front(market, prediction.value, params)


def _front(market: Market, value: FloatArray, params: ValuationParams) -> dict[str, FloatArray]:
    """The run's values at other settings of the equity calibration."""
    if not market.ensemble.calibration.stretch:
        return {}
    before = market.ensemble.calibration.undo(reproducible.log(value))
    values = {}
    for share in EQUITY_FRONT:
        calibration = calibrate(
            market.out_of_fold.log_value,
            market.sales.price,
            share,
            outlier_deviations=params.outlier_deviations,
        )
        name = f"{market.ensemble.method}_equity_{share:.2f}"
        values[name] = reproducible.exp(calibration.apply(before))
    return values


def _median_rate(train: Sales, sales: Sales) -> FloatArray:
    """Median price per square foot of the neighborhood, times the area; unadjusted for time."""
    rate = train.price / train.unit.trait("building_area_sqft")
    overall = float(np.nanmedian(rate))
    rates = {
        label: float(np.nanmedian(rate[train.unit.neighborhood == label]))
        for label in _labels(train.unit.neighborhood)
        if np.isfinite(rate[train.unit.neighborhood == label]).any()
    }
    found = [rates.get(label, overall) for label in sales.unit.neighborhood.tolist()]
    return np.array(found) * sales.unit.trait("building_area_sqft")


def _labels(column: TextArray) -> Sequence[str]:
    return sorted(set(column.tolist()) - {None})


def _row(
    model: str, value: FloatArray, price: FloatArray, options: StudyOptions
) -> dict[str, object]:
    study = ratio_study(value, price, {}, study=model, options=options)
    statistics = {
        name: (estimate, low, high)
        for name, estimate, low, high in zip(
            *(study[column] for column in ("statistic", "estimate", "ci_low", "ci_high")),
            strict=True,
        )
    }
    row: dict[str, object] = {"model": model, "n": int(price.size), "prd": statistics["prd"][0]}
    for statistic, prefix in _INTERVALS.items():
        row[statistic], row[f"{prefix}_low"], row[f"{prefix}_high"] = statistics[statistic]
    error = np.abs(value / price - 1)
    spread = float(((price - price.mean()) ** 2).sum())
    row["median_error_pct"] = float(100 * np.median(error))
    row["r_squared"] = 1 - float(((price - value) ** 2).sum()) / spread if spread > 0 else None
    row["within_20_pct"] = float(100 * np.mean(error <= 0.2))
    return row
