"""Intervals and confidence: calibrated on sales that the model had not seen."""

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.ensemble import FOLDS, folds
from terrafusion_lib.plugins.valuation.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.units import Sales, properties_as_units
from tests.support.synthetic_market import VALUATION_DATE, synthetic_market

PARAMS = ValuationParams()


@pytest.fixture(scope="module")
def sales() -> Sales:
    market = synthetic_market(4_000, noise=0.15)
    units = properties_as_units(market.properties, VALUATION_DATE)
    found = prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS)
    return found.market.of_market("residential")


def homes(sales: Sales) -> Market:
    return fit_markets(sales, PARAMS, seed=0)["residential"]


def test_intervals_and_confidence_keep_their_word(sales: Sales) -> None:
    """Over three splits by parcel, each of a third of the sales."""
    levels = (0.6, 0.8, 0.9)
    hits: list[list[np.ndarray]] = [[] for _ in levels]
    confidence, near = [], []
    part = folds(sales.unit.parcel, seed=7) % 3
    for number in range(3):
        test = part == number
        market = homes(sales.take(~test))
        tested, price = sales.unit.take(test), sales.price[test]
        prediction = market.predict(tested)
        for i, level in enumerate(levels):
            low, high = market.uncertainty.interval(tested, prediction, level)
            assert np.all(low < high)
            hits[i].append((price >= low) & (price <= high))
        confidence.append(market.uncertainty.confidence(tested, prediction))
        near.append(np.abs(price / prediction.value - 1) <= 0.20)
        assert market.uncertainty.accuracy == pytest.approx(near[-1].mean(), abs=0.07)
    for i, level in enumerate(levels):
        assert np.concatenate(hits[i]).mean() == pytest.approx(level, abs=0.04)
    found = np.concatenate(near).mean()
    assert np.concatenate(confidence).mean() == pytest.approx(found, abs=0.03)


def test_a_wider_level_is_a_wider_interval(sales: Sales) -> None:
    fitted = homes(sales)
    units = sales.unit.take(np.arange(50))
    prediction = fitted.predict(units)
    narrow = fitted.uncertainty.interval(units, prediction, 0.8)
    wide = fitted.uncertainty.interval(units, prediction, 0.95)
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
