"""Which records and figures each layer holds."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.core.declared import result_tables
from terrafusion_lib.core.schema import PERSONAL, TABLES
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.layers import LAYERS
from terrafusion_lib.plugins.gis_export.select.records import UNLINKED
from tests.support.gis_county import COUNT, SOUTH, STEP, WEST, GridCounty, property_row, shapes


@pytest.fixture(scope="module")
def county() -> GridCounty:
    return GridCounty()


def exported(county: GridCounty, layer: str, **params: Any) -> tuple[pa.Table, dict[str, int]]:
    """All records of one layer, with their shapes, and what was left out."""
    plan = make_plan(county.context(), GisExportParams(layers=(layer,), **params))
    (found,) = plan.layers
    return pa.Table.from_batches(found.batches(multi=True)), found.left_out


def row(table: pa.Table, **where: Any) -> dict[str, Any]:
    found = [item for item in table.to_pylist() if all(item[key] == where[key] for key in where)]
    assert len(found) == 1
    return found[0]


def test_parcels_are_the_linked_shapes(county: GridCounty) -> None:
    table, left_out = exported(county, "parcels")
    assert table.num_rows == COUNT - 1
    assert left_out == {"properties without a parcel shape": 1, UNLINKED: 1}
    assert "unlinked" not in table["geometry_id"].to_pylist()
    assert not PERSONAL & set(table.column_names)
    last = row(table, property_id=str(1000 + COUNT - 1))
    assert last["estimated_value"] is None
    assert last["situs_address"] is None
    first = row(table, property_id="1000")
    assert (first["estimated_value"], first["situs_zip"]) == (210_000.0, "09933")


def test_a_county_without_a_parcel_layer_is_exported_as_points() -> None:
    county = GridCounty().having("parcels_geometry", [])
    table, _ = exported(county, "parcels", crs="EPSG:4326")
    assert table.num_rows == COUNT
    assert "geometry_id" not in table.column_names
    point = shapely.from_wkb(row(table, property_id="1001")["geometry"])
    assert (point.x, point.y) == pytest.approx(
        (property_row(1)["longitude"], property_row(1)["latitude"])
    )


def test_values_are_left_out_before_the_first_valuation(county: GridCounty) -> None:
    plan = make_plan(county.context(results=None), GisExportParams())
    assert "estimated_value" not in plan.layers[0].schema().names


def test_value_change(county: GridCounty) -> None:
    table, _ = exported(county, "value_change")
    found = row(table, property_id="1010")
    assert found["value_change"] == pytest.approx(10_000)
    assert found["value_change_pct"] == pytest.approx(5.0)
    assert found["model_change_pct"] == pytest.approx(0.0)
    assert row(table, property_id="1000")["value_change_pct"] is None, "the prior value was zero"


def test_sales_lie_at_their_parcel(county: GridCounty) -> None:
    table, _ = exported(county, "sales", crs="EPSG:4326")
    assert table.num_rows == 12
    found = row(table, sale_id="S10")
    point = shapely.from_wkb(found["geometry"])
    assert point.x == pytest.approx(property_row(10)["longitude"])
    assert found["situs_address"] == "10 Señor Peña Ln"


def test_comparables_lie_at_the_comparable(county: GridCounty) -> None:
    table, _ = exported(county, "comparables", crs="EPSG:4326")
    assert table.num_rows == 3
    found = row(table, property_id="1000", rank=2)
    assert shapely.from_wkb(found["geometry"]).x == pytest.approx(property_row(20)["longitude"])


def test_residuals_are_measured_from_the_median(county: GridCounty) -> None:
    table, _ = exported(county, "ratio_deviations")
    assert row(table, sale_id="S10")["residual_pct"] == pytest.approx(0.0)
    assert row(table, sale_id="S20")["residual_pct"] == pytest.approx(20.0)
    assert row(table, sale_id="S0")["residual_pct"] == pytest.approx(-10.0)


def test_neighborhoods_are_dissolved(county: GridCounty) -> None:
    table, _ = exported(county, "neighborhoods", crs="EPSG:4326")
    assert table["neighborhood_code"].to_pylist() == ["NORTH", "SOUTH"]
    assert table["property_count"].to_pylist() == [60, 60]
    north = shapely.from_wkb(table["geometry"][0].as_py())
    parcels = shapely.from_wkb([item["geometry"] for item in shapes()])
    assert north.area == pytest.approx(sum(parcel.area for parcel in parcels[59:119]), rel=1e-9)
    assert len(north.geoms) == 1, "no border of a parcel is left"
    assert table["market_value"][0].as_py() == sum(
        property_row(n).get("current_market_value", 0) for n in range(60, 120)
    )


def test_stacked_condominiums_dissolve_to_their_lot() -> None:
    rows = shapes()
    rows += [rows[0] | {"geometry_id": f"unit {n}"} for n in range(2)]
    table, _ = exported(GridCounty().having("parcels_geometry", rows), "neighborhoods")
    plain, _ = exported(GridCounty(), "neighborhoods")
    stacked, single = (shapely.from_wkb(found["geometry"].to_pylist()) for found in (table, plain))
    np.testing.assert_allclose(shapely.area(stacked), shapely.area(single))


def test_ratios_by_neighborhood_are_those_of_the_assessor(county: GridCounty) -> None:
    table, _ = exported(county, "neighborhood_ratios")
    found = row(table, neighborhood_code="SOUTH")
    assert (found["median_ratio"], found["cod"], found["sales_count"]) == (0.97, 8.5, 9)
    assert found["median_verdict"] == "met"
    assert row(table, neighborhood_code="NORTH")["median_ratio"] is None


def test_chosen_attributes_come_with_the_key_and_new_names(county: GridCounty) -> None:
    plan = make_plan(
        county.context(),
        GisExportParams(attributes=("year_built",), rename={"year_built": "built"}),
    )
    assert plan.layers[0].schema().names == ["geometry_id", "property_id", "built", "geometry"]


def test_personal_data_are_exported_to_who_may_see_them(county: GridCounty) -> None:
    context = county.context(permissions=frozenset({"reporting:view_sensitive"}))
    plan = make_plan(context, GisExportParams(attributes=("owner_name",)))
    table = pa.Table.from_batches(plan.layers[0].batches(multi=True))
    assert row(table, property_id="1005")["owner_name"] == "OWNER 5"


def test_every_attribute_is_of_the_schema_and_described() -> None:
    for layer in LAYERS.values():
        names = [item.name for item in layer.attributes]
        assert len(names) == len(set(names)), layer.name
        for item in layer.attributes:
            assert item.column.meaning
            assert not item.table or item.table in TABLES | result_tables()
        assert set(layer.key) <= set(names)
        assert layer.color_by in names


def test_batches_cover_every_record_once(
    county: GridCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = exported(county, "parcels")
    monkeypatch.setattr("terrafusion_lib.plugins.gis_export.write.export_layer.BATCH_RECORDS", 50)
    table, _ = exported(county, "parcels")
    assert len(table["property_id"].chunks) == 3
    assert table.equals(whole)


@pytest.mark.parametrize("layer", ["parcels", "value_change", "neighborhoods"])
def test_features_of_no_property_are_counted_and_listed(county: GridCounty, layer: str) -> None:
    """Streets and water have no property; a parcel may be linked to one that is not on the roll."""
    rows = shapes()
    rows[5] = rows[5] | {"property_id": "off the roll"}
    changed = county.having("parcels_geometry", rows)
    (found,) = make_plan(changed.context(), GisExportParams(layers=(layer,))).layers
    assert found.left_out[UNLINKED] == 2
    assert sorted(found.unlinked) == [rows[5]["geometry_id"], "unlinked"]
    bbox = (WEST, SOUTH, WEST + 7 * STEP, SOUTH + STEP)
    params = GisExportParams(layers=(layer,), bbox=bbox)
    (found,) = make_plan(changed.context(), params).layers
    assert found.unlinked == (rows[5]["geometry_id"],)
