"""The comparable grid and sales alike by leaf co-occurrence."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.leaf_similarity import LeafIndex
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Origin, Sales, properties_as_units
from terrafusion_lib.plugins.valuation.workbench.comparable_grid import BY_LEAVES, LINES
from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench
from terrafusion_lib.ui.grids import comparable_grid
from tests.support.synthetic_market import VALUATION_DATE, SyntheticMarket, synthetic_market

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def county() -> SyntheticMarket:
    return synthetic_market(5_000, noise=0.1)


@pytest.fixture(scope="module")
def bench(county: SyntheticMarket) -> Workbench:
    """Markets whose prices bend where no regression bends, so that there are trees."""
    params = ValuationParams()
    units = properties_as_units(county.properties, VALUATION_DATE)
    found = prepare_sales(county.sales, county.properties, units, VALUATION_DATE, params).market
    good = (found.unit.trait("quality") >= 40) & (found.unit.trait("building_area_sqft") > 1_800)
    price = found.price * np.where(good & (found.unit.trait("year_built") < 1980), 1.5, 1.0)
    markets = fit_markets(replace(found, price=price), params, seed=0)
    assert markets["residential"].ensemble.booster is not None
    return Workbench.open(county.properties, VALUATION_DATE, markets)


def homes(bench: Workbench, count: int) -> list[str]:
    kinds = bench.units.market
    return [name for name, row in bench.rows.items() if kinds[row] == "residential"][:count]


@pytest.mark.parametrize("how", ["traits", "leaves"])
def test_lines_sum_to_the_adjustment_and_weights_to_one(bench: Workbench, how: str) -> None:
    for name in homes(bench, 20):
        grid = bench.grid(name, how=how)
        assert len(grid.comparables) == 5
        for sale in grid.comparables:
            whole = sale.sale_price + sum(sale.lines.values())
            assert whole == pytest.approx(sale.adjusted_price, abs=1e-6)
            assert set(sale.lines) == set(LINES)
            assert sale.property_id != name
            assert sale.sale_date < VALUATION_DATE
            assert sale.gross_percent >= abs(sale.net_percent) - 1e-9
        weights = [sale.weight for sale in grid.comparables]
        assert sum(weights) == pytest.approx(1)
        reconciled = sum(sale.weight * sale.indicated_value for sale in grid.comparables)
        assert reconciled == pytest.approx(grid.reconciled)


def test_the_grid_is_of_the_value_that_the_model_gives(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    grid, made = bench.grid(name), bench.appraise(name)
    assert grid.value == pytest.approx(made.value)
    assert grid.place.latitude == pytest.approx(46.2, abs=0.2)


def test_three_or_six_comparables_and_no_more_than_thirty(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    three, six = (bench.grid(name, comparables=number).comparables for number in (3, 6))
    assert [sale.sale_id for sale in three] == [sale.sale_id for sale in six][:3]
    with pytest.raises(ValuationError, match="1 to 30"):
        bench.grid(name, comparables=31)


def test_a_changed_trait_changes_its_line_alone(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    area = float(bench.unit(name).trait("building_area_sqft")[0])
    old = bench.grid(name).traits
    new = bench.grid(name, changes={"building_area_sqft": 1.2 * area}).traits
    assert new["building_area_sqft"] == pytest.approx(1.2 * area)
    assert {trait for trait in old if old[trait] != new[trait]} == {"building_area_sqft"}


def test_more_living_area_never_lowers_a_value(bench: Workbench) -> None:
    """What-ifs hold the comparables of the property as it is, so that the change alone counts."""
    for name in homes(bench, 20):
        area = float(bench.unit(name).trait("building_area_sqft")[0])
        values = [bench.appraise(name).value] + [
            bench.appraise(name, {"building_area_sqft": area * factor}).value
            for factor in (1.02, 1.1, 1.5, 2.0)
        ]
        assert values == sorted(values)


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("building_area_sqft", -500),
        ("building_area_sqft", 0),
        ("land_area_sqft", 0),
        ("quality", float("nan")),
        ("bathrooms", float("inf")),
        ("year_built", 20),
        ("condition", "good"),
        ("is_waterfront", 7),
    ],
)
def test_a_trait_that_cannot_be_is_refused(bench: Workbench, trait: str, value: object) -> None:
    with pytest.raises(ValuationError, match=f"{trait} cannot be"):
        bench.appraise(homes(bench, 1)[0], {trait: value})


def test_what_lies_far_beyond_every_sale_is_not_trusted(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    present, wild = bench.appraise(name), bench.appraise(name, {"quality": 4_000, "bathrooms": 200})
    assert wild.confidence == 0 < present.confidence
    assert wild.value < 3 * present.value


def test_another_roll_finds_the_same_sales(county: SyntheticMarket, bench: Workbench) -> None:
    """Rows in another order, some gone: a saved model still knows whose sale is whose."""
    rng = np.random.default_rng(4)
    kept = rng.permutation(county.properties.num_rows)[200:]
    origin = Origin.of(county.properties)
    roll = county.properties.take(kept)
    later = Workbench.open(roll, VALUATION_DATE, bench.markets, origin)
    sold = {name for name in later.rows if name in set(sold_homes(bench))}
    for name in sorted(sold)[:25]:
        mine, theirs = bench.grid(name), later.grid(name)
        assert name not in {sale.property_id for sale in theirs.comparables}
        assert [sale.sale_id for sale in mine.comparables] == [
            sale.sale_id for sale in theirs.comparables
        ]
        assert theirs.place == mine.place


def sold_homes(bench: Workbench) -> list[str]:
    return bench.markets["residential"].model.sales.property_id.tolist()


def test_unknown_ways_and_properties_are_refused(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    with pytest.raises(ValuationError, match="no way 'magic'"):
        bench.grid(name, how="magic")
    with pytest.raises(ValuationError, match="no active property"):
        bench.grid("nobody")


def test_a_market_without_trees_says_so(bench: Workbench) -> None:
    kinds = bench.units.market
    lot = next(name for name, row in bench.rows.items() if kinds[row] == "vacant_land")
    market = bench.markets["vacant_land"]
    bare = replace(market, ensemble=replace(market.ensemble, booster=None))
    other = replace(bench, markets=dict(bench.markets) | {"vacant_land": bare})
    assert other.grid(lot).comparables
    with pytest.raises(ValuationError, match="no trees"):
        other.grid(lot, how=BY_LEAVES)


def test_a_table_to_take_along_and_a_page_that_escapes(bench: Workbench) -> None:
    name = homes(bench, 1)[0]
    grid = bench.grid(name)
    table = grid.to_table()
    assert table.num_rows == 5
    assert {"adjust_size", "adjusted_price", "latitude", "building_area_sqft"} <= set(
        table.column_names
    )
    page = comparable_grid(replace(grid, property_id="<b>&"))
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert page.count('scope="col"') == 6


def brute_force(
    index: LeafIndex, leaves: np.ndarray, place: np.ndarray, parcel: int, wanted: int
) -> tuple[list[int], list[int]]:
    counts = (index.leaves == leaves).sum(axis=1)
    away = np.hypot(index.x_feet - place[0], index.y_feet - place[1])
    rows = [row for row in range(len(counts)) if index.parcel[row] != parcel]
    best = sorted(rows, key=lambda row: (-counts[row], -index.day[row], away[row], row))[:wanted]
    return best, [int(counts[row]) for row in best]


@pytest.mark.parametrize(("sales", "trees", "leaves"), [(500, 37, 4), (64, 1, 3), (3, 8, 2)])
def test_the_index_finds_what_brute_force_finds(sales: int, trees: int, leaves: int) -> None:
    """Few leaves, whole days and a grid of places: ties of every kind."""
    rng = np.random.default_rng(0)
    index = LeafIndex(
        leaves=rng.integers(0, leaves, (sales, trees)),
        day=rng.integers(-20, 0, sales).astype(float),
        x_feet=rng.integers(0, 5, sales).astype(float),
        y_feet=rng.integers(0, 5, sales).astype(float),
        parcel=rng.integers(0, max(sales // 2, 2), sales),
    )
    subjects = rng.integers(0, leaves + 1, (130, trees))  # some leaves that no sale is in
    place = rng.integers(0, 5, (130, 2)).astype(float)
    parcel = rng.integers(0, sales, 130)
    found = index.most_alike(subjects, place[:, 0], place[:, 1], parcel, 5)
    for row in range(len(subjects)):
        rows, counts = brute_force(index, subjects[row], place[row], int(parcel[row]), 5)
        kept = found.index[row][found.index[row] >= 0]
        assert kept.tolist() == rows
        assert found.count[row][: len(counts)].tolist() == counts


def test_the_model_sees_a_twin_as_alike(bench: Workbench) -> None:
    """A sale's own home, as another parcel, agrees with it in nearly every tree."""
    market: Market = bench.markets["residential"]
    index = market.leaf_index
    assert index is not None
    found = index.most_alike(
        index.leaves[:50], index.x_feet[:50], index.y_feet[:50], np.full(50, -1), 1
    )
    assert found.count.min() == index.trees
    sold: Sales = market.model.sales
    assert len(index.leaves) == len(sold)
    assert sold.sale_date.max() < np.datetime64(date(2026, 1, 1))
