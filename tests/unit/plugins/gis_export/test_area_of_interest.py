"""What an area of interest selects, and how it is refused."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import mapping

from terrafusion_lib.core.config import parse
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.flags import read_area
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.area_shape import polygon_of
from terrafusion_lib.plugins.gis_export.write.metadata import describe
from tests.support.gis_county import COLUMNS, COUNT, SOUTH, STEP, WEST, GridCounty, parcel

INSIDE = (WEST + 4.3 * STEP, SOUTH + 4.3 * STEP, WEST + 5.7 * STEP, SOUTH + 4.7 * STEP)
"""Within columns 4 and 5 of row 4."""


@pytest.fixture(scope="module")
def county() -> GridCounty:
    return GridCounty()


def selected(county: GridCounty, layer: str = "parcels", **params: Any) -> list[str]:
    plan = make_plan(county.context(), GisExportParams(layers=(layer,), **params))
    batches = plan.layers[0].batches(multi=True)
    return sorted(key for batch in batches for key in batch["property_id"].to_pylist())


def test_a_box_takes_whole_parcels_that_it_touches(county: GridCounty) -> None:
    expected = [str(1000 + 4 * COLUMNS + column) for column in (4, 5)]
    assert selected(county, bbox=INSIDE) == expected


def test_a_polygon_selects_as_its_box_does(county: GridCounty) -> None:
    geometry = mapping(shapely.box(*INSIDE))
    feature = {"type": "Feature", "geometry": geometry, "properties": {}}
    collection = {"type": "FeatureCollection", "features": [feature]}
    expected = selected(county, bbox=INSIDE)
    for polygon in (geometry, feature, collection):
        assert selected(county, polygon=polygon) == expected


def test_a_polygon_comes_from_a_file_in_any_system(county: GridCounty, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.box(*INSIDE)], crs="EPSG:4326").to_crs(2927)
    frame.to_file(tmp_path / "area.gpkg")
    polygon = read_area(tmp_path / "area.gpkg")
    assert selected(county, polygon=polygon) == selected(county, bbox=INSIDE)


@pytest.mark.parametrize("text", ["no geometry at all", ""])
def test_a_file_that_is_no_area_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "area.geojson"
    path.write_text(text)
    with pytest.raises(ExportError, match="cannot be read") as failure:
        read_area(path)
    assert failure.value.reason_code == "area_invalid"


def test_crossing_and_overlapping_polygons_of_a_file_are_united(
    county: GridCounty, tmp_path: Path
) -> None:
    west, south, east, north = INSIDE
    bow_tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    overlapping = [bow_tie, shapely.box(*INSIDE), shapely.box(*INSIDE).buffer(-1e-5)]
    gpd.GeoDataFrame(geometry=overlapping, crs="EPSG:4326").to_file(tmp_path / "area.gpkg")
    area = read_area(tmp_path / "area.gpkg")
    assert polygon_of(area).equals(shapely.box(*INSIDE))
    params = GisExportParams(polygon=area)
    found = describe(make_plan(county.context(), params), {})["area_of_interest"]
    assert found["polygons_repaired"] == 1
    given = {"type": "FeatureCollection", "features": [mapping(item) for item in overlapping]}
    plan = make_plan(county.context(), GisExportParams(polygon=given))
    assert describe(plan, {})["area_of_interest"]["polygons_repaired"] == 1


def test_points_are_selected_with_their_parcel(county: GridCounty) -> None:
    row = (WEST, SOUTH + 5.3 * STEP, WEST + COLUMNS * STEP, SOUTH + 5.7 * STEP)
    assert selected(county, "sales", bbox=row) == ["1060", "1070"]


def test_codes_select_whatever_their_case(county: GridCounty) -> None:
    assert len(selected(county, city=(" kennewick",))) == COUNT // 2 - 1
    assert len(selected(county, tax_area=("K1",))) == 3 * COUNT // 12 - 1
    both = selected(county, neighborhood=("NORTH", "SOUTH"))
    assert len(both) == COUNT - 1


def test_outlines_are_whole_although_the_area_is_not(county: GridCounty) -> None:
    params = {"bbox": INSIDE}
    plan = make_plan(county.context(), GisExportParams(layers=("neighborhoods",), **params))
    (layer,) = plan.layers
    batch = next(layer.batches(multi=True))
    assert batch["neighborhood_code"].to_pylist() == ["SOUTH"]
    assert batch["property_count"].to_pylist() == [60]


@pytest.mark.parametrize(
    ("params", "reason", "message"),
    [
        ({"bbox": (-118, 46, -119, 47)}, "area_invalid", "west < east"),
        ({"bbox": (-110, 46, -109.9, 46.1)}, "area_empty", "longitude, latitude"),
        ({"bbox": (2e6, 3e5, 2.1e6, 4e5)}, "area_invalid", "not longitudes"),
        ({"bbox": (-125, 45, -117, 49)}, "area_too_large", "the maximum is 5,000"),
        ({"polygon": {"type": "Point"}}, "area_invalid", "not a GeoJSON"),
        ({"polygon": {"features": [1]}}, "area_invalid", "not a GeoJSON"),
        (
            {"polygon": {"type": "Point", "coordinates": [1, 2]}},
            "area_invalid",
            "it is Point",
        ),
        ({"bbox": (-180, -90, 180, 90)}, "area_too_large", "510,065,622 km²"),
        ({"bbox": (-180, 40, 180, 50)}, "area_too_large", "the maximum is"),
        ({"tax_area": ("zzz",)}, "area_unknown", "there are K1, R2"),
        ({"city": ("Kenewick",)}, "area_unknown", "did you mean KENNEWICK"),
    ],
)
def test_a_wrong_area_is_refused(
    county: GridCounty, params: dict[str, Any], reason: str, message: str
) -> None:
    with pytest.raises(ExportError, match=message) as failure:
        selected(county, **params)
    assert failure.value.reason_code == reason


def test_an_export_has_one_area() -> None:
    assert GisExportParams().area == "county"
    assert GisExportParams(city=("Kennewick",)).area == "city"
    with pytest.raises(ConfigError, match="bbox and city"):
        parse(GisExportParams, {"bbox": INSIDE, "city": ["Kennewick"]}, where="test")


def test_a_shape_with_a_hole_keeps_what_is_outside_of_it(county: GridCounty) -> None:
    hole = parcel(4, 4).buffer(STEP / 4)
    ring = shapely.box(*parcel(4, 4).buffer(2.2 * STEP).bounds).difference(hole)
    inside = selected(county, polygon=mapping(ring))
    assert str(1000 + 4 * COLUMNS + 4) not in inside
    assert len(inside) > 8
