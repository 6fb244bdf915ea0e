"""Which sales make the market, and why others do not."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from terrafusion_lib.core.schema import PROPERTIES, SALES
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales, prepare_sales
from terrafusion_lib.plugins.valuation.subjects import TRAITS, properties_as_subjects
from tests.support.synthetic_market import VALUATION_DATE, table


def properties(**columns: list) -> pa.Table:
    size = len(columns["property_id"])
    return table(
        PROPERTIES,
        {"county_id": ["x"] * size, "property_type": ["residential"] * size} | columns,
        size,
    )


def sale(**fields: object) -> dict[str, object]:
    given: dict[str, object] = {
        "county_id": "x",
        "sale_id": "S1",
        "property_id": "1",
        "sale_date": VALUATION_DATE - timedelta(days=100),
        "sale_price": 300_000.0 + sum(map(ord, str(fields.get("sale_id", "S1")))) - 132,
        "dor_valid": True,
        "county_valid": True,
        "parcel_count": 1,
    }
    return given | fields


def prepared(*sales: dict[str, object], **params: object) -> PreparedSales:
    roll = properties(
        property_id=["1", "2", "3"],
        building_area_sqft=[1500.0, 2000.0, 0.0],
        land_area_sqft=[8000.0] * 3,
        latitude=[46.2, 46.21, None],
        longitude=[-119.2, -119.21, None],
        neighborhood_code=["A", "A", "A"],
    )
    columns = {name: [row.get(name) for row in sales] for name in SALES.column_names}
    return prepare_sales(
        table(SALES, columns, len(sales)),
        roll,
        properties_as_subjects(roll, VALUATION_DATE),
        VALUATION_DATE,
        ValuationParams(**params),
    )


def test_a_transfer_entered_twice_counts_once() -> None:
    twice = prepared(sale(), sale(sale_id="S2", sale_price=300_000.0))
    assert twice.left_out == {"entered_twice": 1}
    assert twice.market.sale_id.tolist() == ["S1"]
    kept = prepared(sale(dor_valid=False), sale(sale_id="S2", sale_price=300_000.0))
    assert kept.left_out == {"not_valid": 1}
    assert kept.market.sale_id.tolist() == ["S2"], "the valid one is not lost for an invalid one"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sale_price": 0.0}, "no_price"),
        ({"sale_price": None}, "no_price"),
        ({"sale_price": 999.0}, "no_price"),
        ({"sale_date": None}, "no_date"),
        ({"dor_valid": False}, "not_valid"),
        ({"county_valid": False}, "not_valid"),
        ({"dor_valid": None, "county_valid": None}, "not_valid"),
        ({"parcel_count": 2}, "several_parcels"),
        ({"property_id": "99"}, "property_not_on_roll"),
        ({"sale_date": date(2022, 1, 1)}, "too_old"),
    ],
)
def test_each_reason_leaves_a_sale_out(fields: dict, reason: str) -> None:
    found = prepared(sale(**fields), sale(sale_id="S2"))
    assert found.left_out == {reason: 1}
    assert found.market.sale_id.tolist() == ["S2"]


def test_every_sale_is_in_exactly_one_place() -> None:
    rows = [
        sale(),
        sale(sale_id="S2", sale_price=0.0, dor_valid=False),
        sale(sale_id="S3", sale_date=VALUATION_DATE),
        sale(sale_id="S4", sale_date=VALUATION_DATE - timedelta(days=1)),
    ]
    found = prepared(*rows)
    assert len(found.market) + len(found.later) + sum(found.left_out.values()) == len(rows)
    assert found.later.sale_id.tolist() == ["S3"]  # sold on the valuation date: not before it
    assert sorted(found.market.sale_id.tolist()) == ["S1", "S4"]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("dor", {"both", "dor"}),
        ("county", {"both", "county", "county only"}),
        ("either", {"both", "dor", "county", "county only"}),
        ("both", {"both", "county only"}),
        ("none", {"both", "dor", "county", "county only", "neither", "unknown"}),
    ],
)
def test_validity_rules(rule: str, kept: set[str]) -> None:
    codes = {
        "both": (True, True),
        "dor": (True, False),
        "county": (False, True),
        "county only": (None, True),
        "neither": (False, False),
        "unknown": (None, None),
    }
    rows = [
        sale(sale_id=name, dor_valid=dor, county_valid=county)
        for name, (dor, county) in codes.items()
    ]
    assert set(prepared(*rows, validity=rule).market.sale_id.tolist()) == kept


def test_a_county_without_codes_uses_all_priced_sales_and_says_so() -> None:
    found = prepared(sale(dor_valid=None, county_valid=None))
    assert len(found.market) == 1
    assert found.codes_used == "no sale has a code: all priced sales used"


def test_the_assessors_adjusted_price_is_taken() -> None:
    assert prepared(sale(adjusted_sale_price=280_000.0)).market.price.tolist() == [280_000.0]
    assert prepared(sale(adjusted_sale_price=0.0)).market.price.tolist() == [300_000.0]


def test_a_multi_parcel_sale_is_allocated_by_market_value() -> None:
    rows = [
        sale(parcel_count=2, parcel_market_value=100_000.0, total_market_value=400_000.0),
        sale(property_id="2", parcel_count=2, parcel_market_value=0.0, total_market_value=4e5),
    ]
    found = prepared(*rows, multi_parcel="allocate")
    assert found.market.price.tolist() == [75_000.0]
    assert found.left_out == {"several_parcels": 1}


def test_properties_that_a_chain_of_joint_sales_connects_never_value_one_another() -> None:
    shares = {"parcel_count": 2, "parcel_market_value": 1e5, "total_market_value": 2e5}
    rows = [
        sale(sale_id=name, property_id=property_id, **shares)
        for name, property_id in (("S1", "1"), ("S1", "2"), ("S2", "2"), ("S2", "3"))
    ]
    found = prepared(*rows, multi_parcel="allocate")
    assert len(found.market) == 4
    assert np.unique(found.market.unit.identity).size == 1
    assert np.unique(found.units.identity).size == len(found.units) - 2
    apart = prepared(sale(), sale(sale_id="S2", property_id="2"), multi_parcel="allocate")
    assert np.unique(apart.units.identity).size == len(apart.units)


def test_traits_of_the_sale_come_before_those_of_today() -> None:
    found = prepared(sale(building_area_sqft=1200.0), sale(sale_id="S2", property_id="2"))
    assert found.market.unit.trait("building_area_sqft").tolist() == [1200.0, 2000.0]
    assert found.market.unit.trait("land_area_sqft").tolist() == [8000.0, 8000.0]


def test_a_sale_of_land_alone_is_vacant_land_whatever_stands_there_now() -> None:
    unit = prepared(sale(is_land_only=True)).market.unit
    assert unit.property_type.tolist() == ["vacant_land"]
    building = [name for name in TRAITS if name.startswith(("building", "year", "quality"))]
    assert all(np.isnan(unit.trait(name)).all() for name in building)
    assert unit.trait("land_area_sqft").tolist() == [8000.0]


def test_a_property_without_a_place_is_put_in_its_neighborhood() -> None:
    unit = prepared(sale(property_id="3")).market.unit
    assert not unit.located[0]
    both = prepared(sale(), sale(sale_id="S2", property_id="2")).market.unit
    assert unit.x_feet[0] == pytest.approx(both.x_feet.mean())
    assert unit.y_feet[0] == pytest.approx(both.y_feet.mean())


def test_distances_are_in_feet() -> None:
    unit = prepared(sale(), sale(sale_id="S2", property_id="2")).market.unit
    assert np.diff(unit.y_feet)[0] == pytest.approx(0.01 * 364_800, rel=2e-3)
    expected = -0.01 * 364_800 * np.cos(np.radians(46.205))
    assert np.diff(unit.x_feet)[0] == pytest.approx(expected, rel=2e-3)


def test_an_area_of_zero_is_unknown() -> None:
    assert np.isnan(prepared(sale(property_id="3")).market.unit.trait("building_area_sqft"))[0]


def test_no_sales_at_all() -> None:
    found = prepared()
    assert (len(found.market), len(found.later), found.left_out) == (0, 0, {})
