"""Land rates: a planted size curve and planted areas come back by each method."""

import numpy as np
import pyarrow as pa
import pytest

from terrafusion_lib.plugins.api import PluginResult
from terrafusion_lib.plugins.valuation.model.markets import fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.plugin import plugin
from terrafusion_lib.plugins.valuation.roll.land import (
    ALLOCATION,
    METHODS,
    RESIDUAL,
    VACANT_SALES,
    LandSales,
    LandValues,
    fit_land,
    land_values,
    rate_table,
)
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import numbers, properties_as_subjects
from tests.support.synthetic_market import VALUATION_DATE, SyntheticMarket, synthetic_market

PARAMS = ValuationParams(bootstrap_replicates=0, min_ensemble_sales=100_000)
"""Land needs no boosted trees and no intervals, which take most of a run."""


def planted(count: int, seed: int = 0) -> LandSales:
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(9.2, 0.8, count))
    area = rng.integers(0, 6, count)
    value = 50_000 * (size / 9_000) ** 0.4 * np.exp(0.1 * (area - 2.5))
    names = np.array([f"A{number}" for number in area], dtype=object)
    return LandSales(np.arange(count) % 5, names, size, value * np.exp(rng.normal(0, 0.1, count)))


def test_size_curve_and_areas_come_back() -> None:
    curve = fit_land(planted(800))
    sizes = np.array([4_000.0, 9_000.0, 40_000.0])
    for number in (0, 5):
        area = np.array([f"A{number}"] * 3, dtype=object)
        truth = 50_000 * (sizes / 9_000) ** 0.4 * np.exp(0.1 * (number - 2.5))
        np.testing.assert_allclose(curve.value(area, sizes), truth, rtol=0.05)
    unknown = curve.value(np.array([None, "A1"], dtype=object), np.array([9_000.0, np.nan]))
    assert unknown[0] == pytest.approx(50_000, rel=0.05)
    assert np.isnan(unknown[1])


def test_the_currency_scales_through() -> None:
    sales = planted(300)
    other = LandSales(sales.fold, sales.area, sales.size_sqft, sales.price * 100)
    at = (np.array(["A0"], dtype=object), np.array([12_000.0]))
    assert fit_land(other).value(*at) == pytest.approx(100 * fit_land(sales).value(*at), rel=1e-6)


@pytest.fixture(scope="module")
def county() -> SyntheticMarket:
    return synthetic_market(4_000)


@pytest.fixture(scope="module")
def result(county: SyntheticMarket) -> PluginResult:
    return plugin.run(county.context(), PARAMS)


@pytest.fixture(scope="module")
def land(county: SyntheticMarket) -> LandValues:
    units = properties_as_subjects(county.properties, VALUATION_DATE)
    sales = prepare_sales(county.sales, county.properties, units, VALUATION_DATE, PARAMS).market
    market_value = numbers(county.properties, "current_market_value")
    improvement = numbers(county.properties, "improvement_value")
    return land_values(
        sales, fit_markets(sales, PARAMS, seed=0), market_value - improvement, improvement
    )


@pytest.mark.slow
def test_every_method_is_shown_and_the_best_on_vacant_sales_is_published(land: LandValues) -> None:
    assert [method.name for method in land.methods] == list(METHODS)
    found = {method.name: method for method in land.methods}
    assert land.published == VACANT_SALES
    assert 0.9 < found[VACANT_SALES].median_ratio < 1.1
    assert found[VACANT_SALES].cod < 20
    # The county's improvements bear three quarters of value: its lots do not sell at a quarter.
    assert abs(np.log(found[ALLOCATION].median_ratio)) > abs(
        np.log(found[VACANT_SALES].median_ratio)
    )
    assert found[RESIDUAL].sales.price.size > 500


@pytest.mark.slow
def test_a_rate_table_has_every_area_at_typical_sizes(land: LandValues) -> None:
    method = land.methods[0]
    rows = rate_table(method)
    assert {row["area"] for row in rows} == {"all", *method.curve.areas}
    for row in rows:
        assert row["land_value"] == pytest.approx(row["rate_per_sqft"] * row["size_sqft"])
    every = [row["land_value"] for row in rows if row["area"] == "all"]
    assert every == sorted(every)


@pytest.mark.slow
def test_without_assessed_parts_and_vacant_sales_nothing_is_parted(
    county: SyntheticMarket,
) -> None:
    built = numbers(county.sales, "building_area_sqft") > 0
    found = plugin.run(
        SyntheticMarket(
            county.properties.set_column(
                county.properties.column_names.index("improvement_value"),
                "improvement_value",
                pa.nulls(county.properties.num_rows, pa.float64()),
            ),
            county.sales.filter(pa.array(built)),
            county.truth,
        ).context(),
        PARAMS,
    )
    assert found.tables["land_rates"].num_rows == 0
    table = found.tables["valuations"].to_pylist()
    assert all(
        row["land_value"] is None or row["land_value"] == row["estimated_value"] for row in table
    )


@pytest.mark.slow
def test_the_roll_adds_up(result: PluginResult) -> None:
    for row in result.tables["valuations"].to_pylist():
        if row["land_value"] is not None:
            assert row["land_value"] + row["improvement_value"] == row["estimated_value"]
            assert row["land_value"] >= 0
            assert row["improvement_value"] >= 0
        assert row["estimated_value"] % 10 == 0


@pytest.mark.slow
def test_structures_share_the_improvement_value(result: PluginResult) -> None:
    whole = {
        row["property_id"]: row["improvement_value"]
        for row in result.tables["valuations"].to_pylist()
    }
    parts: dict[str, list[dict]] = {}
    for row in result.tables["valuation_improvements"].to_pylist():
        parts.setdefault(row["property_id"], []).append(row)
    assert len(parts) > 100
    for name, rows in parts.items():
        assert len(rows) == 2
        assert sum(row["improvement_value"] for row in rows) == pytest.approx(whole[name])
        by_kind = {row["improvement_id"].split("-")[1]: row["improvement_value"] for row in rows}
        assert by_kind["barn"] == pytest.approx(0.2 * whole[name], abs=10)
