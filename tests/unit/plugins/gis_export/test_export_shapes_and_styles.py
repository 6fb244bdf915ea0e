"""Simplification, coordinate systems and styles."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.shapes import promote
from terrafusion_lib.plugins.gis_export.styles import style_of
from tests.support.gis_county import GridCounty, parcel


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
    style = style_of(values, "a<b&", kind, diverging=False)
    assert style
    edges = [(low, high) for low, high, _ in style.classes()]
    assert edges[0][0] == np.nanmin(values)
    assert edges[-1][1] == np.nanmax(values)
    assert all(left[1] == right[0] for left, right in pairwise(edges))
    qml = ET.fromstring(style.qml())
    renderer = qml.find("renderer-v2")
    assert renderer is not None
    assert renderer.get("attr") == "a<b&"
    ranges, symbols = renderer.findall("ranges/range"), renderer.findall("symbols/symbol")
    assert [item.get("symbol") for item in ranges] == [item.get("name") for item in symbols]
    assert len(ET.fromstring(style.sld("parcels")).findall(".//{*}Rule")) == len(ranges) == 5


def test_a_field_of_one_value_has_one_class_and_an_empty_one_none() -> None:
    style = style_of(np.array([5.0, 5.0]), "f", "Point", diverging=True)
    assert style
    assert len(list(style.classes())) == 1
    assert style_of(np.array([np.nan]), "f", "Point", diverging=False) is None
