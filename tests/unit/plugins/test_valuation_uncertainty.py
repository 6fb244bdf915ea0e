"""Intervals and confidence: calibrated on sales that the model had not seen."""

from dataclasses import replace

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.model.ensemble import FOLDS, folds
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Sales, properties_as_units
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


@pytest.mark.slow
def test_intervals_and_confidence_keep_their_word(sales: Sales) -> None:
    """Over three splits by parcel, each of a third of the sales."""
    levels = (0.6, 0.8, 0.9)
    hits: list[list[np.ndarray]] = [[] for _ in levels]
    confidence, near = [], []
    part = folds(sales) % 3
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
    sales = sales.take(sales.unit.parcel % 3 == 0)
    fitted = homes(sales)
    units = sales.unit.take(np.arange(50))
    prediction = fitted.predict(units)
    narrow = fitted.uncertainty.interval(units, prediction, 0.8)
    wide = fitted.uncertainty.interval(units, prediction, 0.95)
    assert np.all(wide[0] <= narrow[0])
    assert np.all(wide[1] >= narrow[1])


def test_a_parcel_is_in_one_fold_and_folds_are_even(sales: Sales) -> None:
    parcel, fold = sales.unit.parcel, folds(sales)
    for number in np.unique(parcel):
        assert np.unique(fold[parcel == number]).size == 1
    sizes = np.bincount(fold, minlength=FOLDS)
    assert sizes.size == FOLDS
    assert np.ptp(sizes) < 0.3 * sizes.mean()


def test_a_fold_hangs_on_the_parcel_alone(sales: Sales) -> None:
    """Neither the order of rows nor the other sales of a county move a parcel's fold."""
    order = np.random.default_rng(2).permutation(len(sales))
    assert np.array_equal(folds(sales.take(order)), folds(sales)[order])
    assert np.array_equal(folds(sales.take(order[:100])), folds(sales)[order[:100]])


def test_parcels_that_were_sold_together_share_a_fold(sales: Sales) -> None:
    joint = replace(sales, unit=replace(sales.unit, identity=sales.unit.parcel // 50))
    fold = folds(joint)
    for group in np.unique(joint.unit.identity):
        assert np.unique(fold[joint.unit.identity == group]).size == 1
