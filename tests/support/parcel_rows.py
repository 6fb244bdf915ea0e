"""Made-up parcels: irregular lots on a grid, with thirty attributes of the usual kinds."""

import numpy as np
import pyarrow as pa
import shapely

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.geo.repair import fit_shapes
from terrafusion_lib.geometry.parcel_layer import ParcelLayer

COUNTY = "test_wa"
CORNERS = 12


def shapes(count: int, *, seed: int = 1) -> np.ndarray:
    """Lots of twelve corners near the Tri-Cities, in degrees."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    x = -119.3 + 0.001 * (np.arange(count) % side)
    y = 46.1 + 0.001 * (np.arange(count) // side)
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    reach = random.uniform(0.0002, 0.00045, (count, CORNERS))
    corners = np.stack(
        [x[:, None] + reach * np.cos(turn), y[:, None] + reach * np.sin(turn)], axis=2
    )
    return shapely.polygons(corners)


def raw_rows(count: int, *, seed: int = 1) -> pa.Table:
    """Key, 30 attributes and the shape as WKB."""
    random = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {"geometry_id": [f"{number:07d}" for number in range(count)]}
    codes = np.array(["R1", "Çédille", 'it\'s, "so"', "", "AG"])
    for number in range(10):
        values = codes[random.integers(0, len(codes), count)]
        columns[f"code_{number}"] = pa.array(values, mask=random.random(count) < 0.1)
    for number in range(12):
        values = np.round(random.lognormal(12, 0.5, count), 2)
        columns[f"value_{number}"] = pa.array(values, mask=random.random(count) < 0.1)
    for number in range(4):
        columns[f"year_{number}"] = pa.array(random.integers(1900, 2026, count))
    columns["is_exempt"] = pa.array(random.random(count) < 0.1)
    columns["is_waterfront"] = pa.array(random.random(count) < 0.1, mask=random.random(count) < 0.1)
    days = np.datetime64("1960-01-01", "D") + random.integers(0, 20_000, count)
    columns["sale_date"] = pa.array(days, mask=random.random(count) < 0.1)
    columns["area_sqft"] = pa.array(random.uniform(4_000, 90_000, count))
    columns["geometry"] = pa.array(shapely.to_wkb(shapes(count, seed=seed)), pa.binary())
    return pa.table(columns)


def parcel_layer(count: int, *, seed: int = 1, crs: str = "EPSG:4326") -> ParcelLayer:
    """A layer that is ready to be published."""
    fit = fit_shapes(raw_rows(count, seed=seed), GeometryConfig(), key="geometry_id")
    return ParcelLayer(COUNTY, fit.rows, crs)
