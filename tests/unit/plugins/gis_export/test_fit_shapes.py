"""Which shapes go through the repair before an export."""

import numpy as np
import pyarrow as pa
import shapely

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.plugins.gis_export.select.fit import fit

SQUARE = shapely.box(0, 0, 1, 1)
SPIKED = shapely.Polygon([(0, 0), (1, 0), (1, 1), (1, 2), (1, 1), (0, 1)])
WKB = pa.array([shape.wkb for shape in (SQUARE, SPIKED, SQUARE)], pa.binary())
ROWS = np.arange(3)


def test_without_a_list_every_shape_is_looked_at() -> None:
    found = fit(WKB, ROWS, GeometryConfig())
    assert found.repaired == 1
    assert shapely.from_wkb(found.wkb[1].as_py()).is_valid


def test_with_a_list_only_those_are_mended() -> None:
    listed = fit(WKB, ROWS, GeometryConfig(), suspects=np.array([False, True, False]))
    assert listed.repaired == 1
    assert shapely.from_wkb(listed.wkb[1].as_py()).is_valid
    trusted = fit(WKB, ROWS, GeometryConfig(), suspects=np.zeros(3, dtype=bool))
    assert trusted.repaired == 0
    assert trusted.wkb.equals(WKB)


def test_the_policy_may_leave_them_out() -> None:
    found = fit(WKB, ROWS, GeometryConfig(invalid="quarantine"))
    assert found.rows.tolist() == [0, 2]
    assert sum(found.left_out.values()) == 1
