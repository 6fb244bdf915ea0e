"""The market model: regression, location, comparables, and that no sale reaches itself."""

from dataclasses import replace

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.model.design import ITEMS, LOCATION, TIME, hats, make_design
from terrafusion_lib.plugins.valuation.model.hedonic import robust_ridge
from terrafusion_lib.plugins.valuation.model.location import LocationSurface
from terrafusion_lib.plugins.valuation.model.market_model import MarketModel, fit
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import (
    TRAITS,
    Sales,
    Subjects,
    properties_as_subjects,
)
from tests.support.synthetic_market import (
    ANNUAL_TREND,
    VALUATION_DATE,
    SyntheticMarket,
    synthetic_market,
)

PARAMS = ValuationParams()


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(3_000)


@pytest.fixture(scope="module")
def units(market: SyntheticMarket) -> Subjects:
    return properties_as_subjects(market.properties, VALUATION_DATE)


@pytest.fixture(scope="module")
def sales(market: SyntheticMarket, units: Subjects) -> Sales:
    found = prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS)
    return found.market.of_market("residential")


@pytest.fixture(scope="module")
def model(sales: Sales) -> MarketModel:
    return fit(sales, PARAMS)


@pytest.fixture(scope="module")
def homes(units: Subjects) -> np.ndarray:
    return np.flatnonzero(units.property_type == "residential")


def test_values_are_near_the_truth(market, units, model, homes) -> None:
    error = np.log(model.predict(units.take(homes)).value / market.truth[homes])
    assert np.median(np.abs(error)) < 0.03
    assert abs(np.median(error)) < 0.015


def test_the_trend_is_recovered(sales: Sales, model: MarketModel) -> None:
    year_ago = replace(sales.unit, day=np.full(len(sales), -365.25))
    assert np.log(model.time_factor(year_ago)) == pytest.approx(ANNUAL_TREND, abs=0.02)
    today = replace(sales.unit, day=np.zeros(len(sales)))
    assert model.time_factor(today) == pytest.approx(1.0)


def test_time_adjustment_can_be_switched_off(sales: Sales) -> None:
    still = fit(sales, ValuationParams(time_adjustment=False))
    assert still.time_factor(sales.unit) == pytest.approx(1.0)
    assert np.all(still.effects[:, ITEMS.index(TIME)] == 0)


def test_effects_add_up_to_the_log_of_price(sales: Sales, model: MarketModel) -> None:
    whole = model.hedonic.constant + model.effects.sum(axis=1) + model.deviation
    np.testing.assert_allclose(whole, np.log(model.sales.price))


def test_the_grid_leads_from_price_to_value(units, model, homes) -> None:
    """Price x (1 + net adjustment) is the adjusted price, less a part of the sale's own deviation
    the indicated value; weights reconcile those to the value."""
    found = model.predict(units.take(homes[:200]))
    price = model.sales.price[found.found.index]
    np.testing.assert_allclose(price * (1 + found.grid.net_percent() / 100), found.adjusted_price)
    np.testing.assert_allclose(found.found.weight.sum(axis=1), 1)
    sold_before = np.isin(homes[:200], model.sales.unit.parcel)
    left = (1 - model.carry_over) * model.deviation[found.found.index]
    told = found.adjusted_price * np.exp(-left)
    np.testing.assert_allclose(told[~sold_before], found.indicated_value[~sold_before])
    np.testing.assert_allclose(
        found.adjusted_price * np.exp(found.grid.particular), found.indicated_value
    )
    np.testing.assert_allclose(
        (found.found.weight * found.indicated_value).sum(axis=1), found.value
    )
    assert np.all(found.grid.gross_percent() + 1e-9 >= np.abs(found.grid.net_percent()))
    assert found.adjusted_price.std(axis=1).min() > 0, "sales do not say the same to the dollar"
    assert found.found.index.shape == (200, PARAMS.comparables)
    assert np.all(np.diff(found.found.unlikeness, axis=1) >= 0)


def test_a_units_value_does_not_depend_on_who_else_is_valued(units, model, homes) -> None:
    together = model.predict(units.take(homes[:64]))
    for place in (0, 17, 63):
        alone = model.predict(units.take(homes[place : place + 1]))
        assert alone.value[0] == together.value[place]
        np.testing.assert_array_equal(alone.effects[0], together.effects[place])


def test_a_classic_grid_carries_each_sale_over_whole(sales, units, homes) -> None:
    classic = fit(sales, ValuationParams(carry_over=1.0))
    found = classic.predict(units.take(homes[:50]))
    assert np.all(found.grid.particular == 0)
    assert classic.carry_over == 1.0


def test_twins_next_door_are_the_best_comparables(sales: Sales) -> None:
    """A subject with the traits and place of a sale, but another parcel, finds that sale first."""
    model = fit(sales, PARAMS)
    sold = model.sales.unit
    newest = np.argsort(-sold.day)[:40]
    twin = replace(
        sold.take(newest), identity=np.full(newest.size, 10**9), day=sold.day[newest].copy()
    )
    found = model.finder.find(twin, model.effects[newest])
    assert found.index[:, 0].tolist() == newest.tolist()
    assert np.all(found.unlikeness[:, 0] < 1e-9)


def with_price(sales: Sales, parcel: int, factor: float) -> Sales:
    mine = sales.unit.parcel == parcel
    return replace(sales, price=np.where(mine, sales.price * factor, sales.price))


def test_no_sale_is_a_comparable_of_its_own_parcel(units: Subjects, model: MarketModel) -> None:
    """Also not the other sale of a parcel that sold twice."""
    sold = model.sales.unit.parcel
    twice = [p for p, n in zip(*np.unique(sold, return_counts=True), strict=True) if n > 1]
    assert twice
    for subjects in (units.take(np.unique(sold)), units.take(np.array(twice))):
        found = model.predict(subjects).found
        assert not np.any(sold[found.index] == subjects.parcel[:, None])
        assert found.present.all()


def test_a_sale_does_not_reach_its_own_location_effect(sales: Sales) -> None:
    """A leak: raise one parcel's deviations a lot; its own surface must stay, others' not."""
    residual = np.random.default_rng(0).normal(0, 0.1, len(sales))
    parcel = int(sales.unit.parcel[np.argmax(np.bincount(sales.unit.parcel)[sales.unit.parcel])])
    mine = sales.unit.parcel == parcel
    before = LocationSurface(sales.unit, residual).at(sales.unit)
    after = LocationSurface(sales.unit, residual + 5.0 * mine).at(sales.unit)
    np.testing.assert_array_equal(after[mine], before[mine])
    assert np.abs(after[~mine] - before[~mine]).max() > 0.05


def test_a_planted_price_barely_moves_the_own_value_but_moves_a_leaking_one(
    sales: Sales, units: Subjects
) -> None:
    """Forty percent more for one sale: its own value may move only through the regression."""
    parcel = int(sales.unit.parcel[len(sales) // 2])
    subject = units.take(np.array([parcel]))
    whole = ValuationParams(carry_over=1.0)  # the setting in which a leak would show most
    plain, planted = (fit(with_price(sales, parcel, k), whole) for k in (1.0, 1.4))
    moved = planted.predict(subject).value[0] / plain.predict(subject).value[0] - 1
    assert abs(moved) < 0.01
    stranger = replace(subject, identity=np.array([10**9]))  # the same house, its sale now allowed
    leak = planted.predict(stranger).value[0] / plain.predict(stranger).value[0] - 1
    assert leak > 0.03


def test_bad_sales_are_left_out_and_bend_nothing(sales: Sales, units, homes, market) -> None:
    rng = np.random.default_rng(5)
    bad = rng.random(len(sales)) < 0.05
    spoiled = replace(sales, price=np.where(bad, sales.price * 4, sales.price))
    model = fit(spoiled, PARAMS)
    assert model.outliers >= 0.95 * bad.sum()
    error = np.log(model.predict(units.take(homes)).value / market.truth[homes])
    assert abs(np.median(error)) < 0.02


def test_a_county_without_places_is_valued_by_traits(sales: Sales, units: Subjects, homes) -> None:
    nowhere = {
        "x_feet": np.zeros(len(sales)),
        "y_feet": np.zeros(len(sales)),
        "located": np.zeros(len(sales), dtype=bool),
    }
    model = fit(replace(sales, unit=replace(sales.unit, **nowhere)), PARAMS)
    assert np.isfinite(model.predict(units.take(homes)).value).all()


@pytest.mark.parametrize("size", [20, 25, 31])
def test_few_sales_still_make_a_model(sales: Sales, units: Subjects, homes, size: int) -> None:
    few = sales.take(np.unique(sales.unit.parcel, return_index=True)[1][:size])
    found = fit(few, ValuationParams(comparables=30)).predict(units.take(homes[:100]))
    assert np.isfinite(found.value).all()
    assert found.found.present.sum(axis=1).max() <= size


def test_identical_sales_make_a_model(sales: Sales, units: Subjects, homes) -> None:
    rows = np.unique(sales.unit.parcel, return_index=True)[1][:30]
    flat = sales.take(rows)
    same = replace(
        flat,
        price=np.full(30, 250_000.0),
        unit=replace(
            flat.unit,
            traits=np.repeat(flat.unit.traits[:1], 30, axis=0),
            x_feet=np.zeros(30),
            y_feet=np.zeros(30),
            day=np.full(30, -10.0),
        ),
    )
    value = fit(same, PARAMS).predict(units.take(homes[:5])).value
    assert value == pytest.approx(250_000, rel=0.01)


def test_missing_traits_are_taken_as_average_and_told(sales: Sales, units, homes) -> None:
    traits = sales.unit.traits.copy()
    traits[::4, TRAITS.index("quality")] = np.nan
    model = fit(replace(sales, unit=replace(sales.unit, traits=traits)), PARAMS)
    subject = units.take(homes[:10])
    gaps = subject.traits.copy()
    gaps[:5, TRAITS.index("quality")] = np.nan
    told = model.missing_traits(replace(subject, traits=gaps))
    assert told.tolist() == [True] * 5 + [False] * 5
    assert np.isfinite(model.predict(replace(subject, traits=gaps)).value).all()


def test_size_is_needed_and_extremes_are_told(model: MarketModel, units: Subjects, homes) -> None:
    subject = units.take(homes[:3])
    traits = subject.traits.copy()
    traits[0, TRAITS.index("building_area_sqft")] = np.nan
    traits[1, TRAITS.index("building_area_sqft")] = 99_999
    changed = replace(subject, traits=traits)
    assert changed.market.tolist() == ["residential_land", "residential", "residential"]
    assert model.can_value(changed).tolist() == [False, True, True]
    assert model.outside_market(changed).tolist()[1] is True


def test_hats_are_a_partition_of_one_and_linear_between_knots() -> None:
    knots = np.array([0.0, 1.0, 3.0])
    columns = hats(np.array([-5.0, 0.0, 0.5, 2.0, 3.0, 9.0]), knots)
    np.testing.assert_allclose(columns.sum(axis=1), 1)
    np.testing.assert_allclose(columns @ knots, [0, 0, 0.5, 2, 3, 3])
    assert hats(np.array([1.0]), knots[:2]).shape == (1, 0)


def test_robust_ridge_is_least_squares_on_clean_data() -> None:
    rng = np.random.default_rng(0)
    matrix = np.column_stack([np.ones(500), rng.normal(size=(500, 2))])
    target = matrix @ [1.0, 2.0, -3.0] + rng.normal(0, 0.1, 500)
    found = robust_ridge(matrix, np.full(3, 1e-9), target)
    assert found == pytest.approx([1, 2, -3], abs=0.02)
    target[:50] += 100
    assert robust_ridge(matrix, np.full(3, 1e-9), target) == pytest.approx([1, 2, -3], abs=0.05)


def test_every_column_of_the_design_has_its_line_item(sales: Sales) -> None:
    design = make_design(sales.unit, time_adjustment=True)
    matrix = design.matrix(sales.unit)
    assert matrix.shape[1] == design.penalty.size == design.item.size
    assert np.isfinite(matrix).all()
    assert (design.item == ITEMS.index(LOCATION)).sum() == len(design.neighborhoods)
