"""Outlines of groups: no slits and no pinholes where borders are nearly the same."""

import numpy as np
import pytest
import shapely

from terrafusion_lib.core.progress import silent
from terrafusion_lib.plugins.gis_export.select.dissolve import COUNTY_GRID, dissolve
from terrafusion_lib.plugins.gis_export.select.shapes import as_wkb
from tests.support.gis_county import SOUTH, STEP, WEST

SIDE = 12


def lots(noise: float) -> np.ndarray:
    """A square of lots whose corners are each given with an error of their own, degrees."""
    rng = np.random.default_rng(3)
    found = []
    for place in range(SIDE * SIDE):
        x, y = WEST + place % SIDE * STEP, SOUTH + place // SIDE * STEP
        ring = np.array(shapely.box(x, y, x + STEP, y + STEP).exterior.coords[:-1])
        found.append(shapely.Polygon(ring + rng.uniform(-noise, noise, ring.shape)))
    return np.array(found)


def outline(shapes: list[shapely.Geometry] | np.ndarray) -> shapely.Geometry:
    (found,) = dissolve(as_wkb(np.array(shapes)), np.zeros(len(shapes), dtype=np.int64), 1, silent)
    return found


@pytest.mark.parametrize("noise", [0, 1e-14, 1e-12, 1e-9, 2e-8])
def test_inexact_borders_leave_nothing_behind(noise: float) -> None:
    found = outline(lots(noise))
    assert found.is_valid
    assert shapely.get_num_geometries(found) == 1
    assert len(shapely.get_parts(found)[0].interiors) == 0
    assert found.area == pytest.approx((SIDE * STEP) ** 2, rel=1e-4)
    assert shapely.get_num_coordinates(found) == 4 * SIDE + 1


def test_a_corner_within_the_neighbors_side_leaves_no_slit() -> None:
    """The neighbor's border is one straight line; the corners of these lie a little beside it."""
    side = shapely.box(WEST - STEP, SOUTH, WEST, SOUTH + 3 * STEP)
    off = 1.5e-7
    lots = [
        side,
        shapely.Polygon([(WEST, SOUTH), (WEST + STEP, SOUTH), (WEST + STEP, SOUTH + STEP),
                         (WEST + off, SOUTH + STEP)]),
        shapely.Polygon([(WEST + off, SOUTH + STEP), (WEST + STEP, SOUTH + STEP),
                         (WEST + STEP, SOUTH + 3 * STEP), (WEST, SOUTH + 3 * STEP)]),
    ]  # fmt: skip
    found = outline(lots)
    polygons = shapely.get_parts(found)
    assert [len(polygon.interiors) for polygon in polygons] == [0]
    assert found.is_valid


def test_real_holes_and_groups_stay() -> None:
    every = lots(1e-9)
    within = SIDE * 5 + 5
    found = outline(np.delete(every, within))
    (hole,) = shapely.get_parts(found)[0].interiors
    assert shapely.Polygon(hole).area == pytest.approx(STEP**2, rel=1e-4)
    group = np.arange(len(every)) % SIDE // 4 - 1  # a third in no group
    outlines = dissolve(as_wkb(every), group.astype(np.int64), 3, silent)
    assert outlines[2] is None
    shared = shapely.intersection(outlines[0], outlines[1])
    assert shared.area == 0
    assert shared.length == pytest.approx(SIDE * STEP, rel=1e-6), "one border, on one grid"


def test_corners_lie_on_the_countys_grid() -> None:
    pairs = shapely.get_coordinates(outline(lots(1e-9)))
    assert (COUNTY_GRID.snapped(pairs) == pairs).all()


def test_units_on_one_lot_overlap() -> None:
    lot = shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP)
    found = outline([lot, lot, lot])
    assert found.area == pytest.approx(lot.area, rel=1e-4)
