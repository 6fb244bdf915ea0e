"""Every file is valid at its own precision: shapes are checked after their last change."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrafusion_lib.plugins.gis_export.format import FORMATS
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.shapes import as_wkb
from terrafusion_lib.plugins.gis_export.select.star_shaped import star_shaped
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid, valid_at
from tests.support.gis_county import SOUTH, STEP, WEST, GridCounty, shapes
from tests.support.gis_files import opened

NARROW, NARROWER = 4e-9, 2e-10
"""Degrees: below the grids of GeoJSON and KML, and of CSV and File Geodatabase."""
TILES = {"pmtiles"}
"""Tiles are for drawing: their corners lie on the pixels of each zoom."""


def slit(width: float) -> shapely.Polygon:
    """A parcel with a slit from its lower border to its middle."""
    x, y = WEST, SOUTH
    middle = x + STEP / 2 + 0.3e-7
    return shapely.Polygon(
        [(x, y), (middle, y), (middle + width, y + STEP / 2), (middle + 2 * width, y),
         (x + STEP, y), (x + STEP, y + STEP), (x, y + STEP)]
    )  # fmt: skip


def needle(width: float) -> shapely.Polygon:
    """A parcel with a needle that comes back to its side within the seventh decimal."""
    x, y = WEST, SOUTH
    return shapely.Polygon(
        [(x, y), (x + STEP, y), (x + STEP, y + STEP), (x + STEP / 2, y + STEP),
         (x + STEP / 2 + width, y + STEP / 3), (x + STEP / 2 - width, y + STEP), (x, y + STEP)]
    )  # fmt: skip


def near_hole(width: float) -> shapely.Polygon:
    """A parcel with a hole that all but touches the border."""
    outer = shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP * 1.000_03)
    hole = shapely.Polygon(
        [(WEST + width, SOUTH + STEP / 3), (WEST + STEP / 2, SOUTH + STEP / 2),
         (WEST + width, SOUTH + STEP / 2)]
    )  # fmt: skip
    return shapely.Polygon(outer.exterior, [hole.exterior])


def county() -> GridCounty:
    rows = shapes()
    narrow = [made(width) for width in (NARROW, NARROWER) for made in (slit, needle, near_hole)]
    for row, shape in enumerate(narrow):
        assert shape.is_valid
        rows[row] = rows[row] | {"geometry": shape.wkb}
    return GridCounty().having("parcels_geometry", rows)


@pytest.mark.parametrize("layer", ["parcels", "neighborhoods"])
@pytest.mark.parametrize("crs", [None, "EPSG:4326", "EPSG:32611"])
@pytest.mark.parametrize("name", sorted(set(FORMATS.names()) - TILES))
def test_every_shape_read_back_is_valid(
    tmp_path: Path, name: str, crs: str | None, layer: str
) -> None:
    from terrafusion_lib.plugins.gis_export.format import load_format

    if crs and load_format(name).crs not in (None, crs):
        pytest.skip("the format prescribes its system")
    params = GisExportParams(export_format=name, layers=(layer,), crs=crs)
    plan = make_plan(county().context(), params)
    for file, write in plan.files().items():
        write(tmp_path / file)
    frame = opened(tmp_path / plan.file_of(plan.layers[0]), layer, name)
    assert len(frame) == plan.layers[0].records
    assert frame.geometry.is_valid.all()
    assert not frame.geometry.is_empty.any()


def test_what_rounding_leaves_valid_is_only_rounded() -> None:
    plain = shapely.box(0.12345678, 0.2, 1.3, 1.4)
    (found,) = shapely.from_wkb(valid_at(as_wkb(np.array([plain])), Grid(1e7)).to_pylist())
    assert found.equals(shapely.box(0.1234568, 0.2, 1.3, 1.4))


def test_a_repair_keeps_the_area_and_the_grid() -> None:
    wkb = as_wkb(np.array([slit(NARROW), needle(NARROW), near_hole(NARROW)]))
    grid = Grid(1e7)
    before, after = (shapely.from_wkb(item.to_pylist()) for item in (wkb, valid_at(wkb, grid)))
    assert shapely.is_valid(after).all()
    assert shapely.area(after) == pytest.approx(shapely.area(before), rel=1e-3)
    pairs = shapely.get_coordinates(after)
    assert (grid.snapped(pairs) == pairs).all()


def test_only_rings_that_cannot_cross_themselves_count_as_star_shaped() -> None:
    turn = np.linspace(0, 4 * np.pi, 11)[:-1]
    twice = shapely.Polygon(np.column_stack([np.cos(turn), np.sin(turn)]) * [[1 + 0.1]])
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    box = shapely.box(0, 0, 1, 1)
    known = {
        "box": (box, True),
        "clockwise": (box.reverse(), True),
        "a part": (shapely.MultiPolygon([box]), True),
        "two parts": (shapely.MultiPolygon([box, shapely.box(2, 2, 3, 3)]), False),
        "a hole": (box.difference(shapely.box(0.4, 0.4, 0.6, 0.6)), False),
        "a bow": (bow, False),
        "twice around": (twice, False),
        "flat": (shapely.Polygon([(0, 0), (1, 0), (2, 0)]), False),
        "empty": (shapely.Polygon(), False),
    }
    wkb = pa.concat_arrays(
        [as_wkb(np.array([box])), as_wkb(np.array([s for s, _ in known.values()]))]
    )
    assert star_shaped(wkb.slice(1)).tolist() == [sure for _, sure in known.values()]


def test_star_shaped_rings_of_any_kind_are_valid() -> None:
    rng = np.random.default_rng(1)
    made = shapely.polygons(rng.normal(size=(5_000, 5, 2)))
    sure = star_shaped(as_wkb(made))
    assert 100 < sure.sum() < 4_900
    assert shapely.is_valid(made[sure]).all()
