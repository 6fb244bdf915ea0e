"""Shapes and points: measured in the county's system, linked, and kept when they cannot be."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import Transformer

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.schema import PARCELS_GEOMETRY
from terrafusion_lib.geo.repair import fit_shapes
from tests.support.curves import curve_wkb
from tests.support.raw_extract import run_mapping

SHAPES = """
version: 1
source: layer
sources:
  parcels:
    table: parcels.parquet
    key: [fid]
    columns: {integer: [fid], text: [number], geometry: [shape]}
relations:
  measured:
    from: parcels
    geometry: {column: shape, crs: "EPSG:4326"}
tables:
  parcels_geometry:
    from: measured
    fields:
      geometry_id: fid
      parcel_number: number
      link_method: "'unlinked'"
      area_sqft: area_sqft
      latitude: latitude
      longitude: longitude
      part_count: part_count
      geometry: geometry
"""
POINTS = """
version: 1
source: cama
sources:
  parcel: {table: parcel, key: [id], columns: {integer: [id], number: [gx, gy]}}
relations:
  located: {from: parcel, points: {x: gx, y: gy}}
tables:
  properties_operational:
    from: located
    fields: {property_id: id, latitude: latitude, longitude: longitude}
"""
TO_DEGREES = Transformer.from_crs("EPSG:2927", "EPSG:4326", always_xy=True)
X, Y = 1_950_000.0, 350_000.0
"""A corner in Benton County, US survey feet."""


def square(x: float, y: float, side: float) -> shapely.Polygon:
    """A square of the projected system in degrees."""
    ring = np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
    return shapely.Polygon(np.column_stack(TO_DEGREES.transform(ring[:, 0], ring[:, 1])))


def map_shapes(folder: Path, shapes: list[bytes | None], **options: Any) -> list[dict[str, Any]]:
    table = pa.table(
        {
            "fid": range(1, len(shapes) + 1),
            "number": ["A "] * len(shapes),
            "shape": pa.array(shapes, pa.binary()),
        }
    )
    text = options.pop("text", SHAPES)
    result = run_mapping(folder, text, {"parcels": table}, **options)
    path = result.tables["parcels_geometry"].path
    assert pq.read_schema(path).equals(PARCELS_GEOMETRY.arrow_schema())
    return pq.read_table(path).to_pylist()


def test_area_is_square_feet_of_the_county_and_the_point_lies_inside(tmp_path: Path) -> None:
    ring = square(X, Y, 1000).difference(square(X + 100, Y + 100, 800))
    plain, hollow = map_shapes(tmp_path, [shapely.to_wkb(square(X, Y, 100)), shapely.to_wkb(ring)])
    assert plain["area_sqft"] == pytest.approx(10_000, rel=1e-6)
    assert hollow["area_sqft"] == pytest.approx(1_000_000 - 640_000, rel=1e-6)
    point = shapely.Point(hollow["longitude"], hollow["latitude"])
    assert ring.contains(point)
    assert shapely.from_wkb(plain["geometry"]).equals(square(X, Y, 100))


def test_a_multi_polygon_is_one_feature_of_several_parts(tmp_path: Path) -> None:
    pair = shapely.MultiPolygon([square(X, Y, 100), square(X + 500, Y, 100)])
    (row,) = map_shapes(tmp_path, [shapely.to_wkb(pair)])
    assert row["part_count"] == 2
    assert row["area_sqft"] == pytest.approx(20_000, rel=1e-6)


def test_missing_and_unreadable_shapes_are_kept_and_the_unreadable_counted(tmp_path: Path) -> None:
    found = map_shapes(tmp_path, [None, b"not wkb", shapely.to_wkb(shapely.Polygon())])
    assert [row["geometry_id"] for row in found] == ["1", "2", "3"]
    assert all(row["area_sqft"] is None and row["latitude"] is None for row in found)
    assert all(row["geometry"] is None for row in found)
    failures = pq.read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert [(row["column_name"], row["source_key"]) for row in failures] == [
        ("shape", "2"),
        ("shape", "3"),
    ]


def test_an_empty_layer_gives_an_empty_table(tmp_path: Path) -> None:
    assert map_shapes(tmp_path, []) == []


def test_a_layer_in_another_system_is_brought_to_degrees(tmp_path: Path) -> None:
    feet = shapely.box(X, Y, X + 100, Y + 100)
    text = SHAPES.replace("EPSG:4326", "EPSG:2927")
    (row,) = map_shapes(tmp_path, [shapely.to_wkb(feet)], text=text)
    assert row["area_sqft"] == pytest.approx(10_000)
    assert row["longitude"] == pytest.approx(-119.5, abs=1)
    assert shapely.from_wkb(row["geometry"]).bounds[1] == pytest.approx(46, abs=1)


def test_a_county_in_meters_still_gets_square_feet(tmp_path: Path) -> None:
    (row,) = map_shapes(tmp_path, [shapely.to_wkb(square(X, Y, 100))], crs="EPSG:32611")
    assert row["area_sqft"] == pytest.approx(10_000, rel=2e-3)


@pytest.mark.parametrize(
    ("crs", "message"), [("EPSG:4326", "is not projected"), ("EPSG:0", "is unknown")]
)
def test_a_system_without_areas_is_refused(tmp_path: Path, crs: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        map_shapes(tmp_path, [shapely.to_wkb(square(X, Y, 100))], crs=crs)


def test_points_are_degrees_or_state_plane_by_their_range(tmp_path: Path) -> None:
    longitude, latitude = TO_DEGREES.transform(X, Y)
    table = pa.table(
        {
            "id": [1, 2, 3, 4, 5, 6],
            "gx": [longitude, X, 0.0, None, 50.0, 9e9],
            "gy": [latitude, Y, 0.0, 1.0, 10.0, 9e9],
        }
    )
    result = run_mapping(tmp_path, POINTS, {"parcel": table})
    found = pq.read_table(result.tables["properties_operational"].path).to_pylist()
    for row in found[:2]:
        assert (row["longitude"], row["latitude"]) == pytest.approx((longitude, latitude))
    assert all(row["latitude"] is None and row["longitude"] is None for row in found[2:])
    failures = pq.read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert [row["source_key"] for row in failures] == ["5", "6"]


def test_wkb_of_either_byte_order_is_read(tmp_path: Path) -> None:
    shape = square(X, Y, 100)
    big, little = shapely.to_wkb(shape, byte_order=0), shapely.to_wkb(shape, byte_order=1)
    assert struct.unpack("B", big[:1]) != struct.unpack("B", little[:1])
    one, two = map_shapes(tmp_path, [big, little])
    assert one["area_sqft"] == two["area_sqft"]


def test_a_shape_that_crosses_itself_or_lies_nowhere_is_kept(tmp_path: Path) -> None:
    crossed = shapely.Polygon([(-119.5, 46.2), (-119.4, 46.3), (-119.4, 46.2), (-119.5, 46.3)])
    nowhere = shapely.Polygon([(1e6, 1e6), (1e6, 2e6), (2e6, 1e6)])
    one, two = map_shapes(tmp_path, [shapely.to_wkb(crossed), shapely.to_wkb(nowhere)])
    assert one["latitude"] == pytest.approx(46.25, abs=0.06)
    assert two["area_sqft"] is None


def test_parts_written_as_holes_are_measured_as_they_are_published(tmp_path: Path) -> None:
    parts = shapely.Polygon(
        square(X, Y, 100).exterior,
        [square(X + 500, Y, 300).exterior, square(X + 50, Y, 20).exterior],
    )
    assert parts.area < 0
    (row,) = map_shapes(tmp_path, [shapely.to_wkb(parts)])
    rows = pa.table({"key": ["1"], "geometry": pa.array([row["geometry"]], pa.binary())})
    fit = fit_shapes(rows, GeometryConfig(max_repair_area_change=1e-9), key="key")
    published = shapely.from_wkb(fit.rows["geometry"][0].as_py())
    assert row["part_count"] == shapely.get_num_geometries(published) == 2
    assert row["area_sqft"] == pytest.approx(100_000 - 400, rel=1e-6)
    assert published.contains(shapely.Point(row["longitude"], row["latitude"]))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2927"])
def test_a_crossed_ring_is_measured_by_what_it_covers(tmp_path: Path, crs: str) -> None:
    feet = [(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)]
    corners = np.column_stack(TO_DEGREES.transform(*np.array(feet).T)) if "4326" in crs else feet
    text = SHAPES.replace("EPSG:4326", crs)
    (row,) = map_shapes(tmp_path, [shapely.to_wkb(shapely.Polygon(corners))], text=text)
    assert row["area_sqft"] == pytest.approx(5_000, rel=1e-3)


def test_curves_are_drawn_straight_measured_and_counted(tmp_path: Path) -> None:
    x, y = X + 100, Y
    text = f"CURVEPOLYGON(CIRCULARSTRING({x} {y},{x + 200} {y},{x} {y}))"
    plain = shapely.box(X, Y, X + 100, Y + 100).wkb
    wkb = [*curve_wkb([text], tmp_path), plain]
    one, two = map_shapes(tmp_path, wkb, text=SHAPES.replace("EPSG:4326", "EPSG:2927"))
    assert one["area_sqft"] == pytest.approx(10_000 * np.pi, rel=1e-3)
    assert two["area_sqft"] == pytest.approx(10_000)
    assert shapely.from_wkb(one["geometry"]).is_valid
    (kept,) = pq.read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert (kept["source_key"], kept["raw_value"]) == ("1", "a curved shape")
    assert kept["reason"].endswith("(kept)")
