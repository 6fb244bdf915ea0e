"""Curved shapes become straight pieces within the tolerance."""

from math import pi
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.geo.curves import as_curve_polygons, curve_tolerance, linearized
from tests.support.curves import curve_wkb

TOLERANCE = 0.01
HALF_DISC = (
    "CURVEPOLYGON(COMPOUNDCURVE((0 0,10 0),CIRCULARSTRING(10 0,15 5,10 10),(10 10,0 10,0 0)))"
)
DISC = "CURVEPOLYGON(CIRCULARSTRING(0 0,10 0,0 0))"
S_BEND = "CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0,3 -1,4 0),(4 0,4 9,0 9,0 0)))"
AREAS = {
    HALF_DISC: 100 + 12.5 * pi,
    DISC: 25 * pi,
    "CURVEPOLYGON((0 0,10 0,10 10,0 10,0 0),CIRCULARSTRING(4 5,6 5,4 5))": 100 - pi,
    f"MULTISURFACE({HALF_DISC},((20 0,30 0,30 10,20 0)))": 150 + 12.5 * pi,
    f"GEOMETRYCOLLECTION({DISC})": 25 * pi,
    "CURVEPOLYGON Z(CIRCULARSTRING Z(0 0 7,10 0 8,0 0 7))": 25 * pi,
    S_BEND: 36.0,
    "CURVEPOLYGON(CIRCULARSTRING(0 0,5 0,10 0,10 5,10 10,5 5,0 0))": 50.0,
}


def straight(texts: list[str], folder: Path) -> tuple[np.ndarray, np.ndarray]:
    wkb, curved = linearized(pa.array(curve_wkb(texts, folder)), TOLERANCE)
    return shapely.from_wkb(wkb), curved


@pytest.mark.parametrize(("text", "area"), AREAS.items())
def test_areas_are_right_within_the_tolerance(tmp_path: Path, text: str, area: float) -> None:
    (shape,), curved = straight([text], tmp_path)
    assert curved.tolist() == [True]
    assert shape.is_valid
    assert shape.area == pytest.approx(area, abs=TOLERANCE * shape.length)
    assert not shape.has_z


def test_every_piece_lies_within_the_tolerance(tmp_path: Path) -> None:
    (disc,), _ = straight([DISC], tmp_path)
    middle = shapely.Point(5, 0)
    assert disc.exterior.hausdorff_distance(middle) <= 5 + 1e-9
    assert disc.exterior.distance(middle) == pytest.approx(5, abs=TOLERANCE)
    assert len(disc.exterior.coords) < 100


def test_neighbors_share_the_corners_of_their_border(tmp_path: Path) -> None:
    left = "CURVEPOLYGON(COMPOUNDCURVE((3 7,0 7,0 0,3 0),CIRCULARSTRING(3 0,4.1 3.3,3 7)))"
    right = "CURVEPOLYGON(COMPOUNDCURVE((3 0,9 0,9 7,3 7),CIRCULARSTRING(3 7,4.1 3.3,3 0)))"
    shapes, _ = straight([left, right], tmp_path)
    assert shapely.coverage_is_valid(shapes)
    assert shapely.coverage_union_all(shapes).area == 63


def test_plain_shapes_pass_and_broken_curves_are_no_shapes(tmp_path: Path) -> None:
    (curve,) = curve_wkb([HALF_DISC], tmp_path)
    box = shapely.box(0, 0, 1, 1).wkb
    collection = shapely.GeometryCollection([shapely.Point(1, 2)]).wkb
    wkb, curved = linearized(pa.array([box, None, curve[:60], collection, b""]), TOLERANCE)
    assert curved.tolist() == [False] * 5
    assert (wkb[0], wkb[1], wkb[3]) == (box, None, collection)
    assert shapely.from_wkb(wkb, on_invalid="ignore")[2] is None


def test_straight_rings_of_a_curve_polygon_come_back(tmp_path: Path) -> None:
    hole = shapely.box(0, 0, 9, 9).difference(shapely.box(1, 1, 2, 2))
    shapes = [hole, shapely.MultiPolygon([hole, shapely.box(20, 0, 21, 1)])]
    wkb, curved = linearized(pa.array(as_curve_polygons(np.array(shapes))), TOLERANCE)
    assert curved.all()
    assert shapely.equals(shapely.from_wkb(wkb), shapes).all()


@pytest.mark.parametrize(
    ("crs", "tolerance"), [("EPSG:2249", 0.0328), ("EPSG:26986", 0.01), ("EPSG:4326", 1e-7)]
)
def test_the_tolerance_is_a_centimeter_in_every_system(crs: str, tolerance: float) -> None:
    assert curve_tolerance(crs) == pytest.approx(tolerance, rel=1e-3)
