"""Simplification, coordinate systems and styles."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.layers import LAYERS
from terrafusion_lib.plugins.gis_export.select.records import UNLINKED
from terrafusion_lib.plugins.gis_export.select.shapes import promote
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.styles import style_of
from tests.support.gis_county import (
    COUNT,
    COUNTY,
    SOUTH,
    STEP,
    WEST,
    GridCounty,
    estimate_gis_export,
    parcel,
    shapes,
    store_county,
)


def polygons(**params: object) -> np.ndarray:
    plan = make_plan(GridCounty().context(), GisExportParams(**params))
    table = pa.Table.from_batches(plan.layers[0].batches(multi=False))
    return shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))


def test_simplified_parcels_still_share_their_borders() -> None:
    before, after = polygons(), polygons(simplify_feet=100)
    corners = shapely.get_num_coordinates
    assert corners(after).sum() < 0.8 * corners(before).sum()
    grid = np.delete(after, 1)  # the multi-polygon's second part overlaps nothing, but lies apart
    assert shapely.coverage_is_valid(grid)
    whole = shapely.coverage_union_all(grid)
    assert whole.area == pytest.approx(shapely.area(grid).sum(), rel=1e-9)


def test_simplification_leaves_points_alone() -> None:
    context = GridCounty().context()
    plain, simplified = (
        make_plan(context, GisExportParams(layers=("sales",), simplify_feet=feet)).layers[0]
        for feet in (0, 50)
    )
    assert list(plain.batches(multi=True)) == list(simplified.batches(multi=True))


def test_the_countys_system_is_the_default() -> None:
    plan = make_plan(GridCounty().context(), GisExportParams())
    assert plan.layers[0].crs == "EPSG:2927"
    feet = polygons()
    assert shapely.area(feet[0]) == pytest.approx(92_000, rel=0.03), "square feet of a parcel"


def test_wgs_84_shapes_are_written_byte_for_byte() -> None:
    assert polygons(crs="EPSG:4326")[0].wkb == parcel(0, 0).wkb


def test_polygons_become_multi_polygons() -> None:
    several = shapely.MultiPolygon([parcel(0, 0), parcel(5, 5)])
    made = promote(pa.array([parcel(0, 0).wkb, several.wkb]))
    assert shapely.from_wkb(made[0].as_py()).equals(parcel(0, 0))
    assert shapely.from_wkb(made[0].as_py()).geom_type == "MultiPolygon"
    assert made[1].as_py() == several.wkb


@pytest.mark.parametrize("kind", ["MultiPolygon", "Point"])
def test_styles_are_well_formed_and_cover_every_value(kind: str) -> None:
    values = np.concatenate([np.random.default_rng(1).lognormal(12, 1, 500), [np.nan]])
    style = style_of(values, "a<b&", kind)
    assert style
    edges = [(low, high) for low, high, _ in style.classes]
    assert edges[0][0] == np.nanmin(values)
    assert edges[-1][1] == np.nanmax(values)
    assert all(left[1] == right[0] for left, right in pairwise(edges))
    qml = ET.fromstring(style.qml())
    renderer = qml.find("renderer-v2")
    assert renderer is not None
    assert renderer.get("attr") == "a<b&"
    ranges, symbols = renderer.findall("ranges/range"), renderer.findall("symbols/symbol")
    assert [item.get("symbol") for item in ranges] == [item.get("name") for item in symbols]
    assert len(ET.fromstring(style.sld("parcels")).findall(".//{*}Rule")) == len(ranges) == 6


def test_a_field_of_one_value_has_one_class_and_an_empty_one_none() -> None:
    style = style_of(np.array([5.0, 5.0]), "f", "Point")
    assert style
    assert len(list(style.classes)) == 1
    assert style_of(np.array([np.nan]), "f", "Point") is None


def test_ratios_diverge_from_one() -> None:
    assert {layer.name: layer.center for layer in LAYERS.values() if layer.center is not None} == {
        "value_change": 0.0,
        "ratio_deviations": 0.0,
        "neighborhood_ratios": 1.0,
    }


@pytest.mark.parametrize(
    ("crs", "says"),
    [
        ("EPSG:5703", "not a horizontal"),
        ("EPSG:4978", "not a horizontal"),
        ("EPSG:4979", "not a horizontal"),
        ("EPSG:5498", "not a horizontal"),
        ("IAU_2015:30100", "another planet"),
    ],
)
def test_a_system_that_shapes_cannot_be_written_in(crs: str, says: str) -> None:
    with pytest.raises(ExportError, match=says) as failure:
        make_plan(GridCounty().context(), GisExportParams(crs=crs))
    assert failure.value.reason_code == "crs_not_supported"


def test_a_system_that_does_not_cover_the_county() -> None:
    crs = "+proj=geos +h=35785831 +lon_0=60 +sweep=y"
    with pytest.raises(ExportError, match="have no coordinates") as failure:
        polygons(crs=crs)
    assert failure.value.reason_code == "coordinates_outside_system"
    with pytest.raises(ExportError, match="have no coordinates"):
        polygons(layers=("sales",), crs=crs)


BOW_TIE = shapely.Polygon(
    [(WEST, SOUTH), (WEST + STEP, SOUTH + STEP), (WEST + STEP, SOUTH), (WEST, SOUTH + STEP)]
)
SPIKE = shapely.Polygon(
    [(WEST, SOUTH), (WEST + STEP, SOUTH), (WEST + 2 * STEP, SOUTH), (WEST + STEP, SOUTH),
     (WEST + STEP, SOUTH + STEP), (WEST, SOUTH + STEP)]
)  # fmt: skip


def planned(replaced: dict[int, bytes], **params: object) -> tuple[ExportLayer, list[str]]:
    """The parcels with other shapes in some rows, and their keys."""
    rows = shapes()
    for row, wkb in replaced.items():
        rows[row] = rows[row] | {"geometry": wkb}
    context = GridCounty().having("parcels_geometry", rows).context(threads=2)
    layer = make_plan(context, GisExportParams(crs="EPSG:4326", **params)).layers[0]
    batches = list(layer.batches(multi=False))
    found = shapely.from_wkb([item for b in batches for item in b["geometry"].to_pylist()])
    assert shapely.is_valid(found).all()
    return layer, [key for b in batches for key in b[layer.key[0]].to_pylist()]


def test_invalid_shapes_are_repaired_as_the_county_says() -> None:
    layer, keys = planned({4: SPIKE.wkb, 9: BOW_TIE.wkb})
    assert layer.repaired == 1
    assert layer.left_out == {
        "properties without a parcel shape": 1,
        UNLINKED: 1,
        "parcel shapes (invalid, and a repair would change its area)": 1,
    }
    assert shapes()[4]["geometry_id"] in keys
    assert shapes()[9]["geometry_id"] not in keys


def test_unfit_shapes_are_left_out_by_reason() -> None:
    replaced = {4: SPIKE.wkb, 9: BOW_TIE.wkb, 12: b"no shape", 15: shapely.Polygon().wkb}
    layer, keys = planned(replaced, geometry=GeometryConfig(invalid="quarantine"))
    assert layer.repaired == 0
    assert sum(layer.left_out.values()) == 6
    assert layer.left_out["parcel shapes (invalid: Self-intersection)"] == 2
    assert layer.left_out["parcel shapes (the shape cannot be read)"] == 1
    assert layer.left_out["parcel shapes (the shape covers no area)"] == 1
    assert len(keys) == COUNT - 1 - 4


def test_outlines_are_made_of_fit_shapes() -> None:
    layer, keys = planned({9: BOW_TIE.wkb}, layers=("neighborhoods",))
    assert keys == ["NORTH", "SOUTH"]
    assert layer.left_out == {
        "parcel shapes (invalid, and a repair would change its area)": 1,
        UNLINKED: 1,
    }


def test_the_policy_of_the_county_is_the_default(tmp_path: Path) -> None:
    rows = shapes()
    rows[4] = rows[4] | {"geometry": SPIKE.wkb}
    settings = store_county(tmp_path, GridCounty().having("parcels_geometry", rows))
    path = settings.county_configs_path / COUNTY / "county.yaml"
    assert estimate_gis_export(COUNTY, {}, settings=settings)["records"]["parcels"] == COUNT - 1
    path.write_text(path.read_text() + "geometry: {invalid: quarantine}\n")
    found = estimate_gis_export(COUNTY, {}, settings=settings)
    assert found["records"]["parcels"] == COUNT - 2
    assert found["left_out"]["parcels"]["parcel shapes (invalid: Self-intersection)"] == 1
