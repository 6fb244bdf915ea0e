"""The market index: planted trends come back, with intervals that hold them."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.model.market_index import MarketIndex, market_index
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Sales, properties_as_units
from terrafusion_lib.stats.study import ALL
from tests.support.synthetic_market import ANNUAL_TREND, VALUATION_DATE, synthetic_market

pytestmark = pytest.mark.slow

PARAMS = ValuationParams(max_sale_age_months=60, min_ensemble_sales=100_000)


@pytest.fixture(scope="module")
def sales() -> Sales:
    market = synthetic_market(4_000)
    units = properties_as_units(market.properties, VALUATION_DATE)
    return prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS).market


@pytest.fixture(scope="module")
def markets(sales: Sales) -> dict[str, Market]:
    return fit_markets(sales, PARAMS, seed=0)


def of(index: MarketIndex, area: str) -> np.ndarray:
    return np.flatnonzero(index.area == area)


def true_index(months: np.ndarray) -> np.ndarray:
    middle = np.minimum(months + np.timedelta64(14, "D"), np.datetime64(VALUATION_DATE))
    days = (middle - np.datetime64(VALUATION_DATE)).astype(float)
    return np.exp(ANNUAL_TREND * days / 365.25)


def test_the_planted_trend_comes_back_within_its_interval(markets: dict[str, Market]) -> None:
    index = market_index(markets["residential"], VALUATION_DATE)
    assert index is not None
    rows = of(index, ALL)
    truth = true_index(index.month[rows])
    assert np.abs(index.index[rows] / truth - 1).max() < 0.06
    inside = (index.low[rows] <= truth) & (truth <= index.high[rows])
    assert inside.mean() > 0.85
    assert index.index[rows][-1] == index.low[rows][-1] == index.high[rows][-1] == 1
    assert index.month[rows][0] == np.datetime64(
        markets["residential"].model.sales.sale_date.min(), "M"
    )


def test_every_sale_is_counted_in_its_month_and_area(markets: dict[str, Market]) -> None:
    market = markets["residential"]
    index = market_index(market, VALUATION_DATE)
    assert index is not None
    everywhere = index.area == ALL
    assert index.sales[everywhere].sum() == index.sales[~everywhere].sum()
    assert index.sales[everywhere].sum() == len(market.model.sales)


def test_areas_that_move_together_have_one_index(markets: dict[str, Market]) -> None:
    index = market_index(markets["residential"], VALUATION_DATE)
    assert index is not None
    whole = index.index[of(index, ALL)]
    for area in markets["residential"].model.hedonic.design.neighborhoods:
        np.testing.assert_allclose(index.index[of(index, area)], whole, rtol=0.02)


def test_an_area_with_a_boom_of_its_own_has_its_own_index(sales: Sales) -> None:
    """Half the areas rise by 12 percent a year more; time adjustment and index must know."""
    boom = np.array([int(name) % 2 == 1 for name in sales.unit.neighborhood])
    price = sales.price * np.where(boom, np.exp(0.12 * sales.unit.day / 365.25), 1.0)
    market = fit_markets(replace(sales, price=price), PARAMS, seed=0)["residential"]
    index = market_index(market, VALUATION_DATE)
    assert index is not None
    assert market.model.hedonic.design.drifting
    for area in market.model.hedonic.design.neighborhoods:
        rows = of(index, area)
        extra = 0.12 if int(area) % 2 == 1 else 0.0
        years = 1.0
        at = rows[-1 - int(12 * years)]
        yearly = -np.log(index.index[at]) / years
        assert yearly == pytest.approx(ANNUAL_TREND + extra, abs=0.035)
    unit = market.sales.unit.take(np.flatnonzero(market.sales.unit.day < -700))
    factor = np.log(market.time_factor(unit)) / (-unit.day / 365.25)
    odd = np.array([int(name) % 2 == 1 for name in unit.neighborhood])
    assert factor[odd].mean() - factor[~odd].mean() == pytest.approx(0.12, abs=0.03)


def test_a_lent_trend_has_the_doubt_of_both(markets: dict[str, Market]) -> None:
    lent = markets["vacant_land"]
    assert lent.lead is not None
    whole = market_index(lent, VALUATION_DATE)
    alone = market_index(replace(lent, lead=None), VALUATION_DATE)
    assert whole is not None
    assert alone is not None
    doubt = np.log(whole.high / whole.low)
    assert np.all(doubt >= np.log(alone.high / alone.low) - 1e-12)
    assert doubt[0] > 0


def test_without_time_adjustment_there_is_no_index(sales: Sales) -> None:
    params = PARAMS.model_copy(update={"time_adjustment": False})
    market = fit_markets(sales, params, seed=0)["residential"]
    assert market_index(market, date(2026, 1, 1)) is None


def test_a_season_goes_on_after_the_last_sale(sales: Sales) -> None:
    """What spring adds is learned from former springs, and stays in values of the next one."""
    amplitude = 0.05

    def wave(days: np.ndarray) -> np.ndarray:
        return amplitude * np.sin(2 * np.pi * days / 365.25)

    seasonal = replace(sales, price=sales.price * np.exp(wave(sales.unit.day)))
    spring = np.full(len(sales), 91.0)
    found = []
    for sold in (sales, seasonal):
        model = fit_markets(sold, PARAMS, seed=0)["residential"].model
        homes = sold.of_market("residential").unit
        now, then = (replace(homes, day=day[: len(homes)]) for day in (np.zeros(len(sold)), spring))
        found.append(np.median(np.log(model.predict(then).value / model.predict(now).value)))
    # A market of a thousand sales believes most of the wave, not all.
    assert 0.6 * amplitude < found[1] - found[0] < 1.1 * amplitude
