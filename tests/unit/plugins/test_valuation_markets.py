"""Markets of a county: how they are told apart, what the largest lends, what is trended instead."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from terrafusion_lib.core.schema import PROPERTIES
from terrafusion_lib.plugins.valuation.model.design import ITEMS, USE, make_design
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets, lend
from terrafusion_lib.plugins.valuation.model.trend import Levels, trended
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.roll.appraise import appraise, trusted
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales, prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Units, properties_as_units
from tests.support.synthetic_market import (
    ANNUAL_TREND,
    VALUATION_DATE,
    SyntheticMarket,
    synthetic_market,
    table,
)

PARAMS = ValuationParams(min_ensemble_sales=100_000)
"""Nothing here is about boosted trees, which take most of a fit."""


@pytest.fixture(scope="module")
def county() -> SyntheticMarket:
    return synthetic_market(4_000)


@pytest.fixture(scope="module")
def units(county: SyntheticMarket) -> Units:
    return properties_as_units(county.properties, VALUATION_DATE)


@pytest.fixture(scope="module")
def prepared(county: SyntheticMarket, units: Units) -> PreparedSales:
    return prepare_sales(county.sales, county.properties, units, VALUATION_DATE, PARAMS)


@pytest.fixture(scope="module")
def markets(prepared: PreparedSales) -> dict[str, Market]:
    return fit_markets(prepared.market, PARAMS, seed=0)


def test_land_and_what_is_built_on_it_are_markets_of_their_own() -> None:
    kinds = ["residential", "residential", "vacant_land", "vacant_land", "agricultural", None]
    columns = {
        "property_id": [str(number) for number in range(6)],
        "county_id": ["x"] * 6,
        "property_type": kinds,
        "building_area_sqft": [1500.0, None, None, 900.0, 0.0, 1500.0],
    }
    units = properties_as_units(table(PROPERTIES, columns, 6), VALUATION_DATE)
    assert units.market.tolist() == [
        "residential",
        "residential_land",
        "vacant_land",
        "vacant_land_improved",
        "agricultural_land",
        None,
    ]


def test_markets_with_few_sales_have_no_model(markets: dict[str, Market]) -> None:
    assert {"residential", "vacant_land", "commercial"} <= set(markets)
    none = fit_markets(next(iter(markets.values())).model.sales.take(np.arange(5)), PARAMS, seed=0)
    assert none == {}


def test_the_largest_market_lends_and_borrows_nothing(markets: dict[str, Market]) -> None:
    assert markets["residential"].lead is None
    assert markets["vacant_land"].lead is markets["residential"].model
    assert "premium" not in markets["residential"].model.hedonic.design.scales
    assert "premium" in markets["vacant_land"].model.hedonic.design.scales


def test_a_small_market_gets_the_county_trend(markets: dict[str, Market], units: Units) -> None:
    land = units.take(units.market == "vacant_land")
    year_ago = replace(land, day=np.full(len(land), -365.25))
    factor = np.log(markets["vacant_land"].time_factor(year_ago))
    assert factor == pytest.approx(ANNUAL_TREND, abs=0.03)
    today = markets["vacant_land"].time_factor(land)
    assert today == pytest.approx(1.0)


@pytest.mark.slow
def test_what_is_lent_helps(county, units: Units, prepared: PreparedSales, markets) -> None:
    """Vacant land alone knows neighborhoods worse than with what homes say of them."""
    rows = np.flatnonzero(units.market == "vacant_land")
    name = prepared.market.unit.market
    few, homes = np.flatnonzero(name == "vacant_land")[:80], np.flatnonzero(name == "residential")
    errors = []
    for used in (np.concatenate([homes, few]), few):
        land = fit_markets(prepared.market.take(used), PARAMS, seed=0)["vacant_land"]
        error = np.log(land.predict(units.take(rows)).value / county.truth[rows])
        errors.append(np.median(np.abs(error)))
    assert errors[0] < errors[1]


def test_nothing_is_lent_without_a_lead(units: Units) -> None:
    assert lend(None, units) is units


@pytest.mark.slow
def test_use_is_part_of_the_regression(prepared: PreparedSales) -> None:
    homes = prepared.market.of_market("residential")
    condo = np.arange(len(homes)) % 4 == 0
    use = np.where(condo, "14", "11").astype(object)
    price = np.where(condo, homes.price * 0.7, homes.price)
    sales = replace(homes, price=price, unit=replace(homes.unit, use=use))
    model = fit_markets(sales, PARAMS, seed=0)["residential"].model
    effect = model.effects[:, ITEMS.index(USE)]
    kept = model.sales.unit.use == "14"
    assert effect[kept].mean() - effect[~kept].mean() == pytest.approx(np.log(0.7), abs=0.03)
    assert make_design(homes.unit, time_adjustment=True).uses == ()


def test_models_that_miss_most_sales_give_way_to_the_assessor(county, units, markets) -> None:
    market_value = np.asarray(county.properties["current_market_value"], dtype=float)
    rng = np.random.default_rng(0)
    kinds = rng.choice(["residential", "vacant_land"], 60).astype(object)
    levels = Levels(rng.normal(0.95, 0.05, 60), kinds)
    strict = PARAMS.model_copy(update={"min_market_accuracy": 1.0})
    assert trusted(markets, levels, PARAMS) == set(markets)
    assert trusted(markets, levels, strict) == set()
    assert trusted(markets, Levels(np.zeros(0), np.zeros(0, dtype=object)), strict) == set(markets)
    made = appraise(units, market_value, markets, levels, strict)
    assert set(made.method) == {"trended_assessed_value"}
    without = market_value.copy()
    without[::2] = np.nan
    made = appraise(units, without, markets, levels, strict)
    modeled = np.isin(units.market.astype(str), list(markets))
    assert set(made.method[::2][modeled[::2]]) == {"comparable_sales"}
    assert set(made.method[1::2]) == {"trended_assessed_value"}


def test_trended_values_are_at_the_market_level() -> None:
    ratios = np.linspace(0.7, 0.9, 39)
    levels = Levels(ratios, np.full(39, "residential", dtype=object))
    level = levels.of("residential")
    assert level is not None
    found = trended(np.array([160_000.0]), level, 0.9, 0.2)
    assert found.value[0] == pytest.approx(200_000)
    scatter = np.sort(0.8 / ratios)
    assert found.low[0] == pytest.approx(200_000 * scatter[1])  # ranks 2 and 38 of 39: 90 percent
    assert found.high[0] == pytest.approx(200_000 * scatter[-2])
    assert found.confidence[0] == pytest.approx(39 / 40)


def test_a_type_with_few_ratios_is_read_from_all() -> None:
    ratios = np.array([0.8, 0.84] * 15 + [0.5] * 4 + [0.9] * 6)
    kinds = np.array(["residential"] * 30 + ["industrial"] * 4 + ["commercial"] * 6, dtype=object)
    levels = Levels(ratios, kinds)
    assert levels.of("residential").ratio == pytest.approx(0.82)
    assert levels.of("industrial").ratio == levels.of("unheard_of").ratio == np.median(ratios)
    assert levels.of("commercial").ratio == pytest.approx(0.9)
    assert levels.of("commercial").scatter.size == 36  # its own six would claim too much
    sure = trended(np.array([1e5]), levels.of("commercial"), 0.9, 0.2).confidence[0]
    assert sure == pytest.approx(6 / 21), "six good ratios of twenty that it takes to know"
    assert Levels(ratios[:4], kinds[:4]).of("residential") is None
    assert not Levels(np.zeros(9), kinds[:9]).known


def test_unknown_property_types_are_trended_by_the_county_level() -> None:
    columns = {
        "property_id": ["1"],
        "county_id": ["x"],
        "current_market_value": [90_000.0],
    }
    roll = table(PROPERTIES, columns, 1)
    levels = Levels(np.full(30, 0.9), np.full(30, "residential", dtype=object))
    units = properties_as_units(roll, VALUATION_DATE)
    made = appraise(units, np.array([90_000.0]), {}, levels, PARAMS)
    assert made.value[0] == pytest.approx(100_000)
    assert made.confidence[0] == 0, "no sale of its type has shown anything"
    assert pa.array(made.review_reasons()).to_pylist() == ["low_confidence,trended_value"]
