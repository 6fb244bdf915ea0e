"""Parcels in GeoParquet and in a real PostGIS: the same tests on both."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from terrafusion_lib.core.errors import ConfigError, ConnectError, LoadError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry import geoparquet as parcel_geoparquet
from terrafusion_lib.geometry import postgis_load
from terrafusion_lib.geometry.parcel_layer import ParcelLayer
from terrafusion_lib.geometry.parcel_totals import layer_totals
from terrafusion_lib.geometry.store import GeometryStore, open_geometry
from tests.support.parcel_rows import COUNTY, parcel_layer
from tests.support.refused import refused
from tests.support.require import require

ROWS = 2_000


@pytest.fixture
def postgis_url(postgres_url: str) -> str:
    found = list(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
    require(found, "PostGIS is not installed: apt-get install postgresql-15-postgis-3")
    return postgres_url.replace("+psycopg2", "")


@pytest.fixture(params=["geoparquet", pytest.param("postgis", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("postgis_url") if request.param == "postgis" else ""
    return Settings(root=tmp_path, data_dir=tmp_path, geometry_url=url)


@pytest.fixture
def store(settings: Settings) -> Iterator[GeometryStore]:
    opened = open_geometry(settings)
    yield opened
    opened.close()


def by_key(layer: ParcelLayer) -> pa.Table:
    return layer.table.sort_by(layer.key).combine_chunks()


def test_a_layer_is_read_back_to_the_last_bit_with_its_system(store: GeometryStore) -> None:
    for crs in ("EPSG:4326", "EPSG:2927"):
        layer = parcel_layer(ROWS, crs=crs)
        load = store.publish(layer)
        assert (load.read, load.inserted + load.updated + load.unchanged) == (ROWS, ROWS)
        found = store.read(COUNTY)
        assert found.table.equals(by_key(layer))
        assert (found.crs, found.key) == (crs, "geometry_id")
    assert store.row_count(COUNTY) == ROWS
    assert store.row_count("other_wa") is None


def test_columns_and_a_box_are_chosen(store: GeometryStore) -> None:
    layer = parcel_layer(ROWS)
    store.publish(layer)
    box = (-119.2895, 46.1105, -119.2795, 46.1205)
    found = store.read(COUNTY, columns=["value_1", "geometry_id"], box=box)
    bounds = shapely.bounds(shapely.from_wkb(layer.table["geometry"].to_numpy()))
    meets = (bounds[:, 0] <= box[2]) & (bounds[:, 2] >= box[0])
    meets &= (bounds[:, 1] <= box[3]) & (bounds[:, 3] >= box[1])
    assert 50 < meets.sum() < 200
    assert found.table.column_names == ["value_1", "geometry_id"]
    assert (
        found.table["geometry_id"].to_pylist()
        == by_key(replace(layer, table=layer.table.filter(pa.array(meets))))[
            "geometry_id"
        ].to_pylist()
    )
    with refused(LoadError, examples=("value_99",)):
        store.read(COUNTY, columns=["value_99"])
    with refused(LoadError, next="terrafusion run other_wa"):
        store.read("other_wa")


def changed(layer: ParcelLayer) -> ParcelLayer:
    """Three rows gone, two new, one attribute and one shape another."""
    table = layer.table
    moved = shapely.from_wkb(table["geometry"][5].as_py())
    shape = shapely.to_wkb(shapely.transform(moved, lambda points: points + 1e-5))
    rows = table.slice(0, table.num_rows - 3).to_pylist()
    rows[4]["code_0"] = None if rows[4]["code_0"] == "" else ""
    rows[5]["geometry"] = shape
    rows += [rows[0] | {"geometry_id": "x1"}, rows[1] | {"geometry_id": "x2"}]
    return replace(layer, table=pa.Table.from_pylist(rows, schema=table.schema))


def test_only_what_differs_is_written(store: GeometryStore) -> None:
    layer = parcel_layer(ROWS)
    assert store.publish(layer).inserted == ROWS
    again = store.publish(layer)
    assert (again.unchanged, again.inserted, again.updated, again.deleted) == (ROWS, 0, 0, 0)
    load = store.publish(changed(layer))
    assert (load.inserted, load.updated, load.deleted) == (2, 2, 3)
    assert load.unchanged == ROWS - 3 - 2
    assert store.read(COUNTY).table.equals(by_key(changed(layer)))


def test_other_columns_make_the_layer_anew(store: GeometryStore) -> None:
    layer = parcel_layer(100)
    store.publish(layer)
    fewer = replace(layer, table=layer.table.drop_columns(["code_3", "value_2"]))
    store.publish(fewer)
    assert store.read(COUNTY).table.equals(by_key(fewer))


def test_an_empty_layer_does_not_take_the_place_of_a_full_one(store: GeometryStore) -> None:
    layer = parcel_layer(10)
    empty = replace(layer, table=layer.table.slice(0, 0))
    assert store.publish(empty).read == 0
    assert store.publish(empty).totals.rows == 0
    store.publish(layer)
    with refused(LoadError, county=COUNTY, count=10, next="then run again"):
        store.publish(empty)
    fewer = replace(empty, table=empty.table.drop_columns(["code_3"]))
    with refused(LoadError, count=10):
        store.publish(fewer)
    assert store.read(COUNTY).table.equals(by_key(layer))


def test_nulls_are_kept(store: GeometryStore) -> None:
    layer = parcel_layer(10)
    nulls = [pa.nulls(10, field.type) for field in layer.table.schema]
    kept = ("geometry_id", "geometry", "centroid")
    columns = [
        layer.table[field.name] if field.name in kept else column
        for field, column in zip(layer.table.schema, nulls, strict=True)
    ]
    bare = replace(layer, table=pa.table(columns, schema=layer.table.schema))
    store.publish(bare)
    assert store.read(COUNTY).table.equals(by_key(bare))


def test_numbers_that_cannot_be_added_up_are_kept(store: GeometryStore) -> None:
    layer = parcel_layer(4)
    place = layer.table.column_names.index("value_1")
    odd = pa.array([float("inf"), 1e300, -9e15, 2.5])
    given = replace(layer, table=layer.table.set_column(place, "value_1", odd))
    assert store.publish(given).totals.sums["value_1"] == 250
    assert store.publish(given).unchanged == 4
    assert store.read(COUNTY).table.equals(by_key(given))


def test_a_key_that_is_none_is_refused(store: GeometryStore) -> None:
    layer = parcel_layer(10)
    twice = replace(layer, table=pa.concat_tables([layer.table, layer.table.slice(3, 1)]))
    with pytest.raises(LoadError, match=r"not unique.*0000003"):
        store.publish(twice)


def test_what_arrives_wrong_leaves_the_old_layer(
    store: GeometryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = parcel_layer(50)
    store.publish(layer)
    read_state = postgis_load.read_state

    def wrong(*given: Any) -> Any:
        state = read_state(*given)
        return replace(state, totals=replace(state.totals, rows=48))

    monkeypatch.setattr(postgis_load, "read_state", wrong)
    right = layer_totals(changed(layer).table)
    totals = iter([right, replace(right, rows=48)])
    monkeypatch.setattr(parcel_geoparquet, "layer_totals", lambda _: next(totals))
    with pytest.raises(LoadError, match=r"do not match those that were sent.*rows: 49 and 48"):
        store.publish(changed(layer))
    monkeypatch.undo()
    assert store.read(COUNTY).table.equals(by_key(layer))


PUBLISHER = """
import time
from terrafusion_lib.geometry import geoparquet as parcel_geoparquet
from terrafusion_lib.geometry import postgis_load
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.core.settings import Settings
from tests.services.test_geometry_stores import changed
from tests.support.parcel_rows import parcel_layer

def wait(*_):
    print("written", flush=True)
    time.sleep(60)

parcel_geoparquet.check_layer = postgis_load.check_layer = wait
settings = Settings(root={root!r}, data_dir={root!r}, geometry_url={url!r})
open_geometry(settings).publish(changed(parcel_layer({rows})))
"""


def test_a_killed_load_leaves_the_old_layer_and_the_next_one_finishes(
    store: GeometryStore, settings: Settings
) -> None:
    layer = parcel_layer(ROWS)
    store.publish(layer)
    code = PUBLISHER.format(root=str(settings.root), url=settings.geometry_url, rows=ROWS)
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert killed.stdout
    assert killed.stdout.readline() == "written\n"
    assert store.read(COUNTY).table.equals(by_key(layer))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert store.read(COUNTY).table.equals(by_key(layer))
    load = store.publish(changed(layer))
    assert (load.inserted, load.updated, load.deleted) == (2, 2, 3)
    assert store.read(COUNTY).table.equals(by_key(changed(layer)))
    left = [path.name for path in settings.root.rglob("*.tmp")]
    assert left == []


@pytest.mark.postgres
def test_postgis_has_typed_valid_shapes_and_a_spatial_index(
    postgis_url: str, tmp_path: Path
) -> None:
    settings = Settings(root=tmp_path, geometry_url=postgis_url)
    layer = parcel_layer(ROWS, crs="EPSG:2927")
    open_geometry(settings).publish(layer)

    def one(query: str) -> Any:
        with psycopg2.connect(postgis_url) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchall()
        connection.close()
        return found

    columns = one(
        "SELECT f_geometry_column, srid, type FROM geometry_columns "
        f"WHERE f_table_schema = '{COUNTY}' ORDER BY 1"
    )
    assert columns == [("centroid", 2927, "POINT"), ("geometry", 2927, "MULTIPOLYGON")]
    assert one(f"SELECT DISTINCT ST_IsValid(geometry) FROM {COUNTY}.parcels") == [(True,)]
    indexes = "\n".join(
        row[0] for row in one(f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{COUNTY}'")
    )
    assert "USING gist (geometry)" in indexes
    assert "UNIQUE INDEX" in indexes
    far = one(f"SELECT max(ST_Distance(centroid, ST_Centroid(geometry))) FROM {COUNTY}.parcels")
    assert far[0][0] < 1e-9
    before = one(f"SELECT geometry_id, xmin FROM {COUNTY}.parcels ORDER BY 1")
    open_geometry(settings).publish(layer)
    assert one(f"SELECT geometry_id, xmin FROM {COUNTY}.parcels ORDER BY 1") == before


def test_geoparquet_is_sorted_by_place_and_covers_its_boxes(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, data_dir=tmp_path)
    layer = parcel_layer(20_000)
    random = pa.array(np.random.default_rng(1).permutation(20_000))
    open_geometry(settings).publish(replace(layer, table=layer.table.take(random)))
    path = tmp_path / COUNTY / "geometry" / "parcels.parquet"
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    frame = geopandas.read_parquet(path)
    assert frame.crs == "EPSG:4326"
    assert set(frame.geometry.geom_type) == {"MultiPolygon"}
    near = geopandas.read_parquet(path, bbox=(-119.29, 46.11, -119.28, 46.12))
    assert 50 < len(near) < 200
    x, y = shapely.get_coordinates(shapely.from_wkb(pq.read_table(path)["centroid"].to_numpy())).T
    step = np.hypot(np.diff(x), np.diff(y))
    assert np.median(step) < 0.0015  # lots are 0.001 apart
    groups = pq.ParquetFile(path).metadata
    xmin = [groups.row_group(n).column(groups.num_columns - 4).statistics for n in range(4)]
    assert all(s.max - s.min < 0.1 for s in xmin), "a group covers a part of the county"
    marked = path.stat().st_mtime_ns
    open_geometry(settings).publish(layer)
    assert path.stat().st_mtime_ns == marked
    assert pc.count_distinct(layer.table["geometry_id"]).as_py() == 20_000


def test_a_wrong_url_or_server_is_told_without_the_password(tmp_path: Path) -> None:
    for url in ("mysql://host/x", "postgresql://host", "no url"):
        with pytest.raises(ConfigError, match="TERRAFUSION_GEOMETRY_URL"):
            open_geometry(Settings(root=tmp_path, geometry_url=url))
    closed = "postgresql://user:hidden-word@127.0.0.1:1/none"
    with pytest.raises(ConnectError, match="did not respond") as caught:
        open_geometry(Settings(root=tmp_path, geometry_url=closed)).row_count(COUNTY)
    assert "hidden-word" not in str(caught.value)
    with pytest.raises(ConfigError, match="env:NO_PASSWORD is empty"):
        open_geometry(
            Settings(root=tmp_path, geometry_url="postgresql://user:env:NO_PASSWORD@host/x")
        )
