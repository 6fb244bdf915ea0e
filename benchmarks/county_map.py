"""The map of a whole county: time to build and to serialize it, and what goes to the browser.

    python benchmarks/county_map.py [--parcels 80000]

Eight-cornered parcels with two attributes to click on; beside it, making the GeoDataFrame alone and
lonboard's own map of it, whose layer is sent as Parquet.
"""

import argparse
import time
from collections.abc import Callable

import lonboard
import numpy as np
import pyarrow as pa
import shapely
from gis_export import tables

from terrafusion_lib.ui import maps


def county(parcels: int) -> pa.Table:
    found = tables(parcels)
    roll = found["properties_operational"]
    shapes = found["parcels_geometry"].sort_by("property_id")
    roll = roll.sort_by("property_id")
    return pa.table(
        {
            "property_id": roll["property_id"],
            "neighborhood_code": roll["neighborhood_code"],
            "estimated_value": roll["current_market_value"],
            "geometry": shapes["geometry"],
        }
    )


def state_bytes(shown: lonboard.Map) -> int:
    """Bytes of the widget and its layers as the browser gets them."""
    total = 0
    for widget in (shown, *shown.layers):
        for value in widget.get_state().values():
            parts = value if isinstance(value, list) else [value]
            total += sum(len(part) for part in parts if isinstance(part, bytes | memoryview))
    return total


def timed(name: str, work: Callable[[], lonboard.Map | object]) -> None:
    started = time.perf_counter()
    made = work()
    size = state_bytes(made) if isinstance(made, lonboard.Map) else 0
    seconds = time.perf_counter() - started
    sent = f", {size / 1e6:.1f} MB to the browser" if size else ""
    print(f"{name:44} {seconds:6.2f} s{sent}")


def main() -> None:
    import geopandas as gpd

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parcels", type=int, default=80_000)
    parcels = county(parser.parse_args().parcels)
    hover = ("property_id", "neighborhood_code")
    maps.offline_module()

    def frame() -> gpd.GeoDataFrame:
        wkb = np.array(parcels["geometry"].to_pylist(), dtype=object)
        return gpd.GeoDataFrame(
            {name: parcels[name].to_pylist() for name in hover},
            geometry=shapely.from_wkb(wkb),
            crs="EPSG:4326",
        )

    def plain() -> lonboard.Map:
        return lonboard.Map([lonboard.PolygonLayer.from_geopandas(frame())])

    print(f"{parcels.num_rows:,} parcels")
    for name, work in (
        ("the frame alone", frame),
        ("lonboard, one color", plain),
        (
            "ours, colored by class, without a network",
            lambda: maps.parcel_map(parcels, column="estimated_value", hover=hover),
        ),
        (
            "its legend",
            lambda: maps.legend(parcels, column="estimated_value", title="Estimated value"),
        ),
    ):
        timed(name, work)


if __name__ == "__main__":
    main()
