"""Coordinates changed inside WKB: the same as shapely makes of the geometries."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from terrafusion_lib.plugins.gis_export.select.wkb_coordinates import moved

numbers = st.floats(-200, 200).map(lambda value: round(value, 6))
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=9)
polygons = st.lists(rings, max_size=3).map(
    lambda parts: shapely.Polygon(parts[0], parts[1:]) if parts else shapely.Polygon()
)
shapes = st.one_of(polygons, st.lists(polygons, max_size=4).map(shapely.MultiPolygon))


def change(pairs: np.ndarray) -> np.ndarray:
    return np.column_stack([pairs[:, 0] * 3 + 1, pairs[:, 1] - pairs[:, 0]])


def as_array(found: list[shapely.Geometry]) -> pa.Array:
    return pa.array([shapely.to_wkb(shape, byte_order=1) for shape in found], pa.binary())


@given(st.lists(shapes, max_size=8), st.integers(0, 3))
def test_every_coordinate_is_changed_as_shapely_does(
    found: list[shapely.Geometry], skipped: int
) -> None:
    expected = shapely.transform(np.array(found, dtype=object), change) if found else []
    wkb = as_array(found)
    before = wkb.to_pylist()
    made = moved(wkb.slice(skipped), change)
    assert made is not None
    made.validate(full=True)
    assert made.to_pylist() == as_array(list(expected)).to_pylist()[skipped:]
    assert wkb.to_pylist() == before, "the source stays as it was"


@given(st.lists(st.tuples(numbers, numbers), max_size=8))
def test_points(pairs: list[tuple[float, float]]) -> None:
    found = [shapely.Point(pair) for pair in pairs]
    expected = shapely.transform(np.array(found, dtype=object), change) if found else []
    made = moved(as_array(found), change)
    assert made is not None
    assert made.to_pylist() == as_array(list(expected)).to_pylist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda wkb: wkb[:-3],
        lambda wkb: wkb + b"\x00",
        lambda wkb: wkb[:9],
        lambda wkb: wkb[:5] + b"\xff\xff\xff\x7f" + wkb[9:],
        lambda wkb: wkb[:9] + b"\xff\xff\xff\xff" + wkb[13:],
        lambda wkb: wkb[:9] + b"\x00" + wkb[10:],
    ],
)
def test_what_is_not_made_as_its_header_says_is_left_to_others(spoil: object) -> None:
    multi = shapely.to_wkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), byte_order=1)
    assert moved(pa.array([multi, spoil(multi)], pa.binary()), change) is None  # type: ignore[operator]


def test_a_part_of_other_byte_order_is_left_to_others() -> None:
    multi = bytearray(shapely.to_wkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), byte_order=1))
    multi[9] = 0
    assert moved(pa.array([bytes(multi)], pa.binary()), change) is None
