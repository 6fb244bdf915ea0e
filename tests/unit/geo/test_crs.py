"""Coordinate systems: which are the same, and the way from one to another."""

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.geo.crs import (
    WGS84,
    moved,
    mover,
    projected_system,
    same,
    square_feet_per_unit,
    system,
)

RICHLAND = np.array([[-119.28, 46.28], [-119.3, 46.2]])


@pytest.mark.parametrize("other", ["epsg:4326", "OGC:CRS84", system(WGS84).to_json()])
def test_wgs_84_has_several_names(other: str) -> None:
    assert same(WGS84, other)
    assert same(other, WGS84)
    assert not same("EPSG:2927", other)


def test_shapes_of_the_same_system_are_left_as_they_are() -> None:
    shapes = shapely.points(RICHLAND)
    assert moved(shapes, "OGC:CRS84", WGS84) is shapes


@pytest.mark.parametrize("count", [0, 1, 2])
def test_places_are_moved_as_proj_moves_them_and_the_given_array_stays(count: int) -> None:
    given = RICHLAND[:count].copy()
    feet = mover(WGS84, "EPSG:2927")(given)
    expected = Transformer.from_crs(4326, 2927, always_xy=True).transform(*given.T)
    np.testing.assert_array_equal(feet, np.column_stack(expected))
    np.testing.assert_array_equal(given, RICHLAND[:count])
    np.testing.assert_allclose(mover("EPSG:2927", WGS84)(feet), given, atol=1e-9)


def test_a_place_outside_a_system_becomes_infinite() -> None:
    assert not np.isfinite(mover(WGS84, "EPSG:2927")(np.array([[0.0, 95.0]]))).any()


@pytest.mark.parametrize("crs", ["EPSG:0", "EPSG:29277", "Washington South", "{}"])
def test_an_unknown_system_is_refused_with_what_to_write(crs: str) -> None:
    for refused in (lambda: system(crs), lambda: same(WGS84, crs), lambda: mover(crs, WGS84)):
        with pytest.raises(ConfigError) as failure:
            refused()
        assert failure.value.hint


def test_another_planet_is_refused() -> None:
    with pytest.raises(ConfigError):
        mover(WGS84, system("IAU_2015:30100").to_wkt())


@pytest.mark.parametrize(("crs", "expected"), [("EPSG:2927", 1.0), ("EPSG:32611", 1 / 0.3048**2)])
def test_areas_are_in_feet_of_any_kind(crs: str, expected: float) -> None:
    assert square_feet_per_unit(projected_system(crs)) == pytest.approx(expected)
    with pytest.raises(ConfigError):
        projected_system(WGS84)
