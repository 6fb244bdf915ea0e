"""A feature that matters is told from one that does not; a parcel is valued on the spot."""

from dataclasses import replace

import numpy as np
import pytest

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.explain import LINES
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import properties_as_units
from terrafusion_lib.plugins.valuation.workbench.feature_trial import try_feature
from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench
from tests.support.synthetic_market import VALUATION_DATE, synthetic_market

pytestmark = pytest.mark.slow

PARAMS = ValuationParams()
COUNTY = synthetic_market(3_000)


@pytest.fixture(scope="module")
def pool() -> np.ndarray:
    return np.random.default_rng(2).random(3_000) < 0.3


@pytest.fixture(scope="module")
def market(pool: np.ndarray) -> Market:
    units = properties_as_units(COUNTY.properties, VALUATION_DATE)
    found = prepare_sales(COUNTY.sales, COUNTY.properties, units, VALUATION_DATE, PARAMS)
    homes = found.market.of_market("residential")
    price = homes.price * np.where(pool[homes.unit.parcel], 1.25, 1.0)
    return fit_markets(replace(homes, price=price), PARAMS, seed=0)["residential"]


def test_a_feature_that_buyers_pay_for_helps(market: Market, pool: np.ndarray) -> None:
    found = try_feature(market, pool.astype(np.float64))
    assert found.gain > 1
    assert found.gain_low > 0
    assert found.gain == pytest.approx(found.cod_without - found.cod_with)
    assert found.gain_low < found.gain < found.gain_high
    assert found.known == 1


def test_noise_does_not_help(market: Market) -> None:
    noise = np.random.default_rng(9).normal(size=3_000)
    noise[::4] = np.nan
    found = try_feature(market, noise)
    assert found.gain_low < 0.1
    assert abs(found.gain) < 0.5
    assert found.known == pytest.approx(0.75, abs=0.05)


@pytest.fixture(scope="module")
def bench(market: Market) -> Workbench:
    return Workbench.open(COUNTY.properties, VALUATION_DATE, {"residential": market})


def home(bench: Workbench) -> str:
    names = bench.units.market
    return next(name for name, row in bench.rows.items() if names[row] == "residential")


def test_the_workbench_values_as_the_model_does(bench: Workbench, market: Market) -> None:
    name = home(bench)
    found = bench.appraise(name)
    assert found.value == market.predict(bench.unit(name)).value[0]
    assert found.low < found.value < found.high
    assert found.base + sum(found.lines.values()) == pytest.approx(found.value)
    assert tuple(found.lines) == LINES


def test_a_larger_home_is_worth_more_and_the_size_line_says_so(bench: Workbench) -> None:
    name = home(bench)
    before = bench.appraise(name)
    area = float(bench.unit(name).trait("building_area_sqft")[0])
    after = bench.appraise(name, {"building_area_sqft": 1.3 * area})
    assert after.value > before.value
    assert after.lines["size"] > before.lines["size"]
    assert bench.appraise(name) == before


def test_unknown_names_are_refused_with_the_nearest(bench: Workbench) -> None:
    with pytest.raises(ValuationError, match="no active property 10000O"):
        bench.appraise("10000O")
    with pytest.raises(ValuationError, match="did you mean building_area_sqft"):
        bench.appraise(home(bench), {"building_area": 1.0})
    land = next(
        name for name, row in bench.rows.items() if bench.units.market[row] == "vacant_land"
    )
    with pytest.raises(ValuationError, match="No model values property"):
        bench.appraise(land)
