"""Intervals and confidence: calibrated on sales that the model had not seen."""

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.uncertainty import FOLDS, folds
from terrafusion_lib.plugins.valuation.units import Sales, properties_as_units
from tests.support.synthetic_market import VALUATION_DATE, synthetic_market

PARAMS = ValuationParams()


@pytest.fixture(scope="module", params=[0.08, 0.20], ids=["quiet", "noisy"])
def sales(request: pytest.FixtureRequest) -> Sales:
    market = synthetic_market(5_000, noise=request.param)
    units = properties_as_units(market.properties, VALUATION_DATE)
    found = prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS)
    return found.market.of_market("residential")


def homes(sales: Sales) -> Market:
    return fit_markets(sales, PARAMS, seed=0)["residential"]


def test_intervals_and_confidence_keep_their_word(sales: Sales) -> None:
    test = np.random.default_rng(0).random(len(sales)) < 0.3
    test = np.isin(sales.unit.parcel, np.unique(sales.unit.parcel[test]))
    fitted = homes(sales.take(~test))
    prediction, price = fitted.predict(sales.unit.take(test)), sales.price[test]
    for level in (0.8, 0.9):
        low, high = fitted.uncertainty.interval(prediction, level)
        assert np.mean((price >= low) & (price <= high)) == pytest.approx(level, abs=0.05)
        assert np.all(low < high)
    confidence = fitted.uncertainty.confidence(prediction)
    near = np.abs(price / prediction.value - 1) <= 0.20
    assert confidence.mean() == pytest.approx(near.mean(), abs=0.04)
    assert fitted.uncertainty.accuracy == pytest.approx(near.mean(), abs=0.05)


def test_a_wider_level_is_a_wider_interval(sales: Sales) -> None:
    fitted = homes(sales)
    prediction = fitted.predict(sales.unit.take(np.arange(50)))
    narrow = fitted.uncertainty.interval(prediction, 0.8)
    wide = fitted.uncertainty.interval(prediction, 0.95)
    assert np.all(wide[0] <= narrow[0])
    assert np.all(wide[1] >= narrow[1])


def test_a_parcel_is_in_one_fold_and_folds_are_even() -> None:
    parcel = np.random.default_rng(1).integers(0, 300, 1_000)
    fold = folds(parcel, seed=0)
    for number in np.unique(parcel):
        assert np.unique(fold[parcel == number]).size == 1
    sizes = [np.unique(parcel[fold == number]).size for number in range(FOLDS)]
    assert max(sizes) - min(sizes) <= 1
    assert folds(parcel, seed=0).tolist() == fold.tolist()
    assert folds(parcel, seed=1).tolist() != fold.tolist()
