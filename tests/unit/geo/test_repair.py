"""Which shapes are published, repaired or set aside."""

import pyarrow as pa
import pytest
import shapely
from shapely import LinearRing, LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.geo.repair import FitShapes, fit_shapes
from terrafusion_lib.geometry.parcel_layer import ParcelLayer
from terrafusion_lib.geometry.parcel_totals import layer_totals

SPIKE = Polygon([(0, 0), (10, 0), (10, 10), (5, 10), (5, 10.001), (5, 10), (0, 10)])
BOWTIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
LOOP = Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 6), (-1, 5), (-1, 6), (0, 5)])
HOLE = Polygon(box(0, 0, 10, 10).exterior, [box(4, 4, 6, 6).exterior])
SHAPES: dict[str, bytes | None] = {
    "lot": box(0, 0, 10, 10).wkb,
    "parts": MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]).wkb,
    "hole": HOLE.wkb,
    "spike": SPIKE.wkb,
    "bowtie": BOWTIE.wkb,
    "line": LineString([(0, 0), (1, 1)]).wkb,
    "point": Point(1, 1).wkb,
    "empty": Polygon().wkb,
    "none": None,
    "broken": b"\x01\x03\x00",
    "heights": Polygon([(0, 0, 5), (4, 0, 5), (4, 4, 6)]).wkb,
}


def ring(start: float, side: float) -> LinearRing:
    """A square ring whose lower edge begins at (start, 0), or at (start, 2) where it is small."""
    low = 2 if side < 10 else 0
    return box(start, low, start + side, low + side).exterior


def fitted(**policy: object) -> FitShapes:
    table = pa.table({"key": list(SHAPES), "geometry": pa.array(SHAPES.values(), pa.binary())})
    return fit_shapes(table, GeometryConfig.model_validate(policy), key="key")


def reasons(found: FitShapes) -> dict[str, str]:
    rows = found.quarantined
    return dict(zip(rows["key"].to_pylist(), rows["reason"].to_pylist(), strict=True))


def test_every_row_is_published_or_set_aside_with_its_reason() -> None:
    found = fitted()
    assert found.rows["key"].to_pylist() == ["lot", "parts", "hole", "spike", "heights"]
    assert reasons(found) == {
        "bowtie": "invalid, and a repair would change its area",
        "line": "the shape covers no area",
        "point": "the shape covers no area",
        "empty": "the shape covers no area",
        "none": "no shape",
        "broken": "the shape cannot be read",
    }
    assert found.reasons["the shape covers no area"] == 3
    assert found.rows.num_rows + found.quarantined.num_rows == len(SHAPES)


def test_published_shapes_are_valid_flat_multipolygons_of_the_same_area() -> None:
    rows = fitted().rows
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) == {6}
    assert not shapely.has_z(shapes).any()
    assert shapely.area(shapes).tolist() == pytest.approx([100, 2, 96, 100, 8])
    centroid = shapely.from_wkb(rows["centroid"].to_numpy())
    assert (centroid[1].x, centroid[1].y) == (1.5, 1.5)


def test_a_repair_is_named_and_bounded() -> None:
    found = fitted()
    assert found.repaired == ["spike"]
    table = pa.table({"key": ["u"], "geometry": pa.array([LOOP.wkb], pa.binary())})
    for share, published in ((0.0, 0), (1.0, 1)):
        policy = GeometryConfig(max_repair_area_change=share)
        assert fit_shapes(table, policy, key="key").rows.num_rows == published
    default = fit_shapes(table, GeometryConfig(), key="key")
    assert shapely.area(shapely.from_wkb(default.rows["geometry"][0].as_py())) == 100.5


def test_the_policy_can_set_every_invalid_shape_aside() -> None:
    found = fitted(invalid="quarantine")
    assert found.repaired == []
    assert reasons(found)["spike"].startswith("invalid: ")
    assert reasons(found)["bowtie"] == "invalid: Self-intersection"


def test_no_rows_give_no_rows() -> None:
    table = pa.table({"key": pa.array([], pa.string()), "geometry": pa.array([], pa.binary())})
    found = fit_shapes(table, GeometryConfig(), key="key")
    assert (found.rows.num_rows, found.quarantined.num_rows, found.reasons) == (0, 0, {})


def test_totals_and_the_system_of_a_layer() -> None:
    rows = fitted().rows.append_column("area_sqft", pa.array([100.0, 2.0, 96.0, None, 8.005]))
    layer = ParcelLayer("test_wa", rows, "EPSG:2927", "key")
    totals = layer_totals(layer.table)
    assert (totals.rows, totals.sums["area_sqft"]) == (5, 20_601)
    assert totals.area == pytest.approx(306)
    assert layer.srid == 2927
    with pytest.raises(ConfigError, match="'EPSG:0' is unknown"):
        _ = ParcelLayer("test_wa", rows, "EPSG:0", "key").srid


RINGS = {
    "a part as a hole": (Polygon(ring(0, 10), [ring(20, 20)]), 500),
    "parts that touch": (Polygon(ring(0, 10), [ring(10, 10)]), 200),
    "a hole in a part written as a hole": (Polygon(ring(0, 10), [ring(20, 20), ring(25, 5)]), 475),
    "a hole and a part": (Polygon(ring(0, 10), [ring(2, 2), ring(20, 10)]), 196),
    "the outer ring written as the hole": (Polygon(ring(2, 2), [ring(0, 10)]), 96),
    "beside another part": (
        MultiPolygon([Polygon(ring(0, 10), [ring(20, 20)]), box(50, 0, 51, 1)]),
        501,
    ),
}


@pytest.mark.parametrize(("shape", "area"), RINGS.values(), ids=RINGS)
def test_rings_beside_the_outer_one_are_parts(shape: BaseGeometry, area: float) -> None:
    table = pa.table({"key": ["u"], "geometry": pa.array([shape.wkb], pa.binary())})
    found = fit_shapes(table, GeometryConfig(max_repair_area_change=0), key="key")
    assert found.repaired == ["u"]
    published = shapely.from_wkb(found.rows["geometry"][0].as_py())
    assert published.is_valid
    assert published.area == area


def test_a_hole_across_the_border_is_no_part_and_no_small_repair() -> None:
    crossing = Polygon(ring(0, 10), [box(5, 2, 15, 4).exterior])
    table = pa.table({"key": ["u"], "geometry": pa.array([crossing.wkb], pa.binary())})
    assert fit_shapes(table, GeometryConfig(), key="key").rows.num_rows == 0
