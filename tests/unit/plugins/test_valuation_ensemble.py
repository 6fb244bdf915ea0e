"""Stacked trees, equity, explanations and saved models on a market with a known truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.comparables import logarithmic_mean
from terrafusion_lib.plugins.valuation.model.ensemble import ENSEMBLE, fit_ensemble
from terrafusion_lib.plugins.valuation.model.equity import Calibration, calibrate, prb
from terrafusion_lib.plugins.valuation.model.explain import LINES, Explanation
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.model.ordinary_regression import ordinary_regression
from terrafusion_lib.plugins.valuation.model.saved_model import load_markets, save_markets
from terrafusion_lib.plugins.valuation.model.signals import SIGNALS, Signals
from terrafusion_lib.plugins.valuation.model.surroundings import means_around
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import (
    TRAITS,
    Sales,
    Subjects,
    properties_as_subjects,
)
from tests.support.synthetic_market import VALUATION_DATE, synthetic_market

PARAMS = ValuationParams()


def bent(units: Subjects) -> np.ndarray:
    """A premium that no straight line or smooth surface shows: good, large and old homes."""
    good = units.trait("quality") >= 40
    large = units.trait("building_area_sqft") > 1_800
    return np.where(good & large & (units.trait("year_built") < 1980), 0.4, 0.0)


@pytest.fixture(scope="module")
def units() -> Subjects:
    return properties_as_subjects(synthetic_market(6_000, noise=0.1).properties, VALUATION_DATE)


@pytest.fixture(scope="module")
def sales(units: Subjects) -> Sales:
    market = synthetic_market(6_000, noise=0.1)
    found = prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS)
    homes = found.market.of_market("residential")
    return replace(homes, price=homes.price * np.exp(bent(homes.unit)))


@pytest.fixture(scope="module")
def market(sales: Sales) -> Market:
    return fit_markets(sales, PARAMS, seed=0)["residential"]


@pytest.fixture(scope="module")
def homes(units: Subjects) -> Subjects:
    return units.take(units.market == "residential")


@pytest.fixture(scope="module")
def some_homes(homes: Subjects) -> Subjects:
    """One home in sixteen: explanations take a while."""
    return homes.take(np.arange(0, len(homes), 16))


@pytest.fixture(scope="module")
def explained(market: Market, some_homes: Subjects) -> Explanation:
    return market.explain([market.predict(some_homes).evidence])


@pytest.fixture(scope="module")
def some_sales(sales: Sales) -> Sales:
    """Those of every third parcel, for what needs no accuracy."""
    return sales.take(sales.unit.parcel % 3 == 0)


@pytest.mark.slow
def test_trees_find_what_the_regression_cannot(market: Market, homes: Subjects) -> None:
    truth = np.log(synthetic_market(6_000, noise=0.1).truth[homes.parcel]) + bent(homes)
    found = market.predict(homes)
    by_trees = np.abs(market.ensemble.calibration.undo(np.log(found.value)) - truth).mean()
    by_comparables = np.abs(np.log(found.comparable_value) - truth).mean()
    assert market.ensemble.method == ENSEMBLE
    assert by_trees < 0.98 * by_comparables


@pytest.mark.slow
def test_trees_that_add_nothing_are_left_out() -> None:
    """In a market that the regression describes fully, with fewer sales, trees only add noise."""
    plain = synthetic_market(1_600, noise=0.25)
    units = properties_as_subjects(plain.properties, VALUATION_DATE)
    prepared = prepare_sales(plain.sales, plain.properties, units, VALUATION_DATE, PARAMS)
    sold = prepared.market.of_market("residential")
    assert len(sold) >= PARAMS.min_ensemble_sales
    ensemble, _ = fit_ensemble(sold, PARAMS, seed=0)
    assert ensemble.weight <= 0.5
    assert (ensemble.booster is None) == (ensemble.weight == 0)


@pytest.mark.slow
def test_no_sale_reaches_what_is_learned_of_it(sales: Sales) -> None:
    """A price of ten times as much at one sale moves none of its own first-level words.

    Planted leak: the sale's own deviation as a signal would move at once.
    """
    row = 17
    price = sales.price.copy()
    price[row] *= 10
    _, before = fit_ensemble(sales, PARAMS, seed=3)
    _, after = fit_ensemble(replace(sales, price=price), PARAMS, seed=3)
    mine = sales.unit.parcel == sales.unit.parcel[row]
    for name in ("log_value", "dispersion", "unlikeness"):
        one, other = (getattr(found.comparables, name) for found in (before, after))
        np.testing.assert_allclose(one[mine], other[mine], rtol=1e-12)
        assert not np.array_equal(one[~mine], other[~mine])
    np.testing.assert_allclose(
        before.comparables.signals[mine], after.comparables.signals[mine], rtol=1e-9, atol=1e-12
    )


@pytest.mark.slow
def test_the_signals_of_a_sold_parcel_do_not_hold_its_price(sales: Sales, market: Market) -> None:
    model, row = market.model, 5
    own = model.sales.unit.parcel == model.sales.unit.parcel[row]
    planted = replace(model, deviation=model.deviation + 9.0 * own)
    subject = model.sales.unit.take(np.array([row]))
    prediction = model.predict(subject)
    honest = Signals(model).matrix(subject, prediction)
    assert np.array_equal(honest, Signals(planted).matrix(subject, prediction), equal_nan=True)
    neighbor = np.flatnonzero(~own)[0]
    shifted = replace(model, deviation=model.deviation + 9.0 * (np.arange(own.size) == neighbor))
    others = model.sales.unit.take(~own)
    near = Signals(shifted).matrix(others, model.predict(others))
    assert not np.array_equal(near, Signals(model).matrix(others, model.predict(others)))


@pytest.mark.slow
def test_more_living_area_is_never_worth_less(market: Market, some_homes: Subjects) -> None:
    column = SIGNALS.index("size")
    signals, booster = market.predict(some_homes).signals, market.ensemble.booster
    assert booster is not None
    assert signals is not None
    larger = signals.copy()
    larger[:, [column, SIGNALS.index("relative_size")]] += 0.3
    assert np.all(booster.predict(larger) >= booster.predict(signals) - 1e-12)


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit(some_sales: Sales, homes: Subjects) -> None:
    one, _ = fit_ensemble(some_sales, PARAMS, seed=1, threads=1)
    many, _ = fit_ensemble(some_sales, PARAMS, seed=1, threads=4)
    assert one.predict(homes).value.tobytes() == many.predict(homes).value.tobytes()


@pytest.mark.slow
def test_lines_sum_to_the_value(
    market: Market, some_homes: Subjects, explained: Explanation
) -> None:
    assert explained.lines.shape == (len(some_homes), len(LINES))
    total = explained.base + explained.lines.sum(axis=1)
    assert total == pytest.approx(market.predict(some_homes).value, rel=1e-9)
    assert np.ptp(explained.base) / explained.base[0] < 1e-9


@pytest.mark.slow
def test_a_trait_above_the_average_adds_dollars(
    some_homes: Subjects, explained: Explanation
) -> None:
    size = np.log(some_homes.trait("building_area_sqft"))
    assert np.corrcoef(size, explained.lines[:, LINES.index("size")])[0, 1] > 0.9


def test_the_logarithmic_mean_is_exact_and_symmetric() -> None:
    one, other = np.array([3.0, 7.0, 5.0]), np.array([1.0, 9.0, 5.0])
    mean = logarithmic_mean(one, other)
    assert mean * np.log(one / other) == pytest.approx(one - other)
    assert logarithmic_mean(other, one) == pytest.approx(mean)
    assert mean[2] == 5.0


@pytest.mark.parametrize("planted", [-0.08, -0.03, 0.0, 0.05])
def test_calibration_removes_planted_bias(planted: float) -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(13, 0.5, 4_000)
    price = np.exp(truth + rng.normal(0, 0.05, truth.size))
    value = truth + planted * (truth - 13)
    before = prb(value, price)
    found = calibrate(value, price, 1.0, outlier_deviations=5)
    assert prb(found.apply(value), price) == pytest.approx(0, abs=0.002)
    half = calibrate(value, price, 0.5, outlier_deviations=5)
    assert prb(half.apply(value), price) == pytest.approx(before / 2, abs=0.002)
    assert calibrate(value, price, 0.0, outlier_deviations=5) == Calibration()
    assert found.undo(found.apply(value)) == pytest.approx(value)
    assert np.array_equal(np.argsort(found.apply(value)), np.argsort(value))


def test_bad_sales_do_not_pass_for_inequity() -> None:
    """A hundredth of the cheap homes sold for next to nothing: that is no reason to stretch."""
    rng = np.random.default_rng(5)
    truth = rng.normal(13, 0.5, 4_000)
    error = rng.normal(0, 0.1, truth.size)
    price = np.exp(truth + error)
    clean = calibrate(truth, price, 1.0, outlier_deviations=5).stretch
    given = rng.choice(np.flatnonzero(truth < 12.8), 40, replace=False)
    price[given] *= 0.1
    assert prb(truth, price) < -0.02
    assert calibrate(truth, price, 1.0, outlier_deviations=5).stretch == pytest.approx(
        clean, abs=0.003
    )


def test_too_few_sales_are_not_calibrated() -> None:
    value = np.linspace(12, 13, 150)
    assert calibrate(value, np.exp(1.2 * value), 1.0, outlier_deviations=5).stretch == 0


@pytest.mark.slow
def test_a_saved_model_values_byte_for_byte_the_same(
    market: Market, some_homes: Subjects, tmp_path: Path
) -> None:
    save_markets(tmp_path / "model.npz", {"residential": market}, {"run_id": "r1"})
    loaded, about = load_markets(tmp_path / "model.npz")
    one, other = market.predict(some_homes), loaded["residential"].predict(some_homes)
    assert about == {"run_id": "r1"}
    assert one.value.tobytes() == other.value.tobytes()
    for level in (0.8, 0.9):
        for end, same in zip(
            market.uncertainty.interval(some_homes, one, level),
            loaded["residential"].uncertainty.interval(some_homes, other, level),
            strict=True,
        ):
            assert end.tobytes() == same.tobytes()
    save_markets(tmp_path / "again.npz", loaded, about)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(b"not a model")
    with pytest.raises(ValuationError, match="is not a saved model"):
        load_markets(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(ValuationError, match="is not a saved model"):
        load_markets(path)


@pytest.mark.slow
def test_what_if_moves_the_value_the_right_way(market: Market, homes: Subjects) -> None:
    subject = homes.take(np.array([10]))
    traits = subject.traits.copy()
    traits[:, TRAITS.index("building_area_sqft")] += 400
    larger = replace(subject, traits=traits)
    assert market.predict(larger).value[0] > market.predict(subject).value[0]


@pytest.mark.slow
def test_the_textbook_regression_agrees_with_least_squares(sales: Sales) -> None:
    sales = replace(sales, price=sales.price / np.exp(bent(sales.unit)))
    found = ordinary_regression(sales)
    assert len(found.terms) == found.coefficients.size == found.std_error.size == found.vif.size
    signs = dict(zip(found.terms, np.sign(found.coefficients), strict=True))
    assert signs["size"] == signs["land"] == signs["quality"] == 1
    assert signs["age"] == -1
    size = dict(zip(found.terms, found.coefficients, strict=True))["size"]
    assert size == pytest.approx(0.65, abs=0.12)
    inflation = dict(zip(found.terms, found.vif, strict=True))
    assert 1 <= inflation["land"] < 1.5
    assert inflation["size"] > 2  # bathrooms follow the area
    assert np.isnan(found.vif[0])
    assert np.median(sales.price / found.predict(sales.unit)) == pytest.approx(1, abs=0.05)


def test_surroundings_are_means_of_the_nearest_others() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 100, (2, 200))
    traits = rng.normal(size=(200, 2))
    traits[::7, 1] = np.nan
    located = np.ones(200, dtype=bool)
    located[3] = False
    found = means_around(traits, x, y, located)
    for row in (0, 3, 50):
        distance = np.hypot(x - x[row], y - y[row])
        distance[[row, 3]] = np.inf
        nearest = np.argsort(distance)[:15]
        if row == 3:
            nearest = np.argsort(distance)[:16]
        assert found[row] == pytest.approx(np.nanmean(traits[nearest], axis=0))
    assert np.isnan(means_around(traits, x, y, np.zeros(200, dtype=bool))).all()
