"""Parcels to and from PostGIS against bare COPY and geopandas, in one run.

100,000 parcels with 30 attributes on a server of Debian's packages. Write: the first load by
PostgisStore.publish (row hashes, totals checked, primary key, spatial index, one transaction),
against a bare COPY of EWKB made from the same Arrow table into an equal table, with the same key
and index; the bare COPY alone, without them, is shown too. Read: PostgisStore.read against
geopandas.read_postgis of the same table, both to a GeoDataFrame. The two sides alternate; medians.

    python benchmarks/postgis.py [--rows 100000] [--quick] [--repeats 5]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import psycopg2
import pyarrow as pa
import shapely
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from terrafusion_lib.core.copy_stream import copy_in
from terrafusion_lib.geometry.parcel_layer import SHAPES, ParcelLayer
from terrafusion_lib.geometry.postgis_table import TYPES
from terrafusion_lib.geometry.store import PostgisStore
from tests.support.parcel_rows import COUNTY, parcel_layer
from tests.support.postgres import server


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare_copy(options: dict[str, Any], layer: ParcelLayer, *, index: bool) -> Callable[[], None]:
    """EWKB from the layer's shapes, binary COPY, and a commit; with `index` key and GiST too."""

    def work() -> None:
        table = layer.table
        for name in SHAPES:
            shapes = shapely.set_srid(shapely.from_wkb(table[name].to_numpy()), layer.srid)
            ewkb = pa.array(shapely.to_wkb(shapes, include_srid=True), pa.binary())
            table = table.set_column(table.column_names.index(name), name, ewkb)
        columns = ", ".join(
            f"{field.name} {'geometry' if field.name in SHAPES else TYPES[field.type]}"
            for field in table.schema
        )
        with psycopg2.connect(**options) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bare ({columns})")
            copy_in(cursor, "bare", table.to_batches(10_000))
            if index:
                cursor.execute("ALTER TABLE bare ADD PRIMARY KEY (geometry_id)")
                cursor.execute("CREATE INDEX ON bare USING gist (geometry)")
        connection.close()

    return work


def drop(options: dict[str, Any]) -> None:
    with psycopg2.connect(**options) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS bare; DROP SCHEMA IF EXISTS {COUNTY} CASCADE")
        cursor.execute("CHECKPOINT")
    connection.close()


def to_frame(layer: ParcelLayer) -> geopandas.GeoDataFrame:
    frame = layer.table.drop_columns(list(SHAPES)).to_pandas()
    shapes = shapely.from_wkb(layer.table["geometry"].to_numpy())
    return geopandas.GeoDataFrame(frame, geometry=shapes, crs=layer.crs)


def write(options: dict[str, Any], layer: ParcelLayer, repeats: int) -> None:
    store = PostgisStore(**options)
    sides = {
        "publish": lambda: store.publish(layer),
        "bare COPY, key and index": bare_copy(options, layer, index=True),
        "bare COPY alone": bare_copy(options, layer, index=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, work in sides.items():
            drop(options)
            seconds[name].append(timed(work))
    ours = statistics.median(seconds["publish"])
    for name, found in seconds.items():
        typical = statistics.median(found)
        print(f"  {name:28} {typical:6.2f} s  publish is {ours / typical:4.2f} times it")
    drop(options)
    store.publish(layer)
    print(f"  {'publish again, unchanged':28} {timed(lambda: store.publish(layer)):6.2f} s")


def read(options: dict[str, Any], repeats: int) -> None:
    store = PostgisStore(**options)
    engine = sa.create_engine("postgresql+psycopg2://", connect_args=options)
    query = f"SELECT * FROM {COUNTY}.parcels"
    sides = {
        "read to Arrow": lambda: store.read(COUNTY),
        "read to a GeoDataFrame": lambda: to_frame(store.read(COUNTY)),
        "geopandas.read_postgis": lambda: geopandas.read_postgis(query, engine, "geometry"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, work in sides.items():
            seconds[name].append(timed(work))
    slow = statistics.median(seconds["geopandas.read_postgis"])
    for name, found in seconds.items():
        typical = statistics.median(found)
        print(f"  {name:28} {typical:6.2f} s  {slow / typical:4.1f} times as fast as geopandas")
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    rows = 10_000 if arguments.quick else arguments.rows
    layer = parcel_layer(rows)
    attributes = layer.table.num_columns - len(SHAPES) - 1
    print(f"{rows:,} parcels, {attributes} attributes, {layer.table.nbytes / 1e6:.0f} MB")
    with server("-c max_wal_size=4GB") as url:
        parsed = sa.make_url(url)
        options = {
            "host": parsed.host,
            "port": parsed.port,
            "dbname": parsed.database,
            "user": parsed.username,
        }
        with psycopg2.connect(**options) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION postgis")
        connection.close()
        write(options, layer, arguments.repeats)
        read(options, arguments.repeats)


if __name__ == "__main__":
    main()
