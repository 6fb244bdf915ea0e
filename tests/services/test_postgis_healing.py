"""A parcel layer in PostGIS that somebody else has changed is made right by the next load."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import GeometryStore, open_geometry
from tests.services.test_geometry_stores import by_key, changed
from tests.support.parcel_rows import COUNTY, parcel_layer
from tests.support.require import require

pytestmark = pytest.mark.postgres

Postgis = tuple[GeometryStore, Callable[[str], Any]]


@pytest.fixture
def postgis(postgres_url: str, tmp_path: Path) -> Postgis:
    """A store in PostGIS, and what runs a statement beside it and gives its rows."""
    found = list(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
    require(found, "PostGIS is not installed: apt-get install postgresql-15-postgis-3")
    postgis_url = postgres_url.replace("+psycopg2", "")

    def run(statement: str) -> Any:
        with psycopg2.connect(postgis_url) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    return open_geometry(Settings(root=tmp_path, geometry_url=postgis_url)), run


TABLE = f"{COUNTY}.parcels"
MOVED = f"UPDATE {TABLE} SET {{0}} = ST_Translate({{0}}, 0.1, 0) WHERE geometry_id = '0000007'"
SWAPPED = (
    f"UPDATE {TABLE} a SET geometry = b.geometry FROM {TABLE} b WHERE (a.geometry_id, "
    "b.geometry_id) IN (('0000003', '0000004'), ('0000004', '0000003'))"
)


@pytest.mark.parametrize(
    "tamper",
    [
        f"UPDATE {TABLE} SET value_1 = value_1 + 0.01 WHERE geometry_id = '0000007'",
        f"UPDATE {TABLE} SET code_0 = 'Z' WHERE geometry_id = '0000007'",
        f"UPDATE {TABLE} SET sale_date = sale_date + 1",
        f"UPDATE {TABLE} SET area_sqft = area_sqft + 1",
        f"UPDATE {TABLE} SET row_hash = 1",
        MOVED.format("geometry"),
        MOVED.format("centroid"),
        SWAPPED,
        f"DELETE FROM {TABLE} WHERE geometry_id = '0000007'",
        f"TRUNCATE {TABLE}",
        f"ALTER TABLE {TABLE} DROP CONSTRAINT parcels_pkey; INSERT INTO {TABLE} TABLE {TABLE}",
        f"COMMENT ON TABLE {TABLE} IS NULL",
    ],
)
def test_a_layer_that_was_changed_by_hand_is_written_anew(postgis: Postgis, tamper: str) -> None:
    store, run = postgis
    layer = parcel_layer(50)
    store.publish(layer)
    assert store.is_intact(COUNTY)
    run(f"CREATE VIEW {COUNTY}.seen AS SELECT geometry_id, value_1 FROM {TABLE}")
    run(tamper)
    assert not store.is_intact(COUNTY)
    load = store.publish(layer)
    assert (load.read, load.unchanged) == (50, 0)
    assert store.read(COUNTY).table.equals(by_key(layer))
    assert store.is_intact(COUNTY)
    assert store.publish(layer).unchanged == 50
    assert run(f"SELECT count(*) FROM {COUNTY}.seen") == [(50,)]


def test_a_change_of_the_source_and_one_by_hand_at_once(
    postgis: Postgis,
) -> None:
    store, run = postgis
    layer = parcel_layer(50)
    store.publish(layer)
    run(MOVED.format("geometry"))
    load = store.publish(changed(layer))
    assert (load.inserted, load.updated, load.deleted) == (2, 47, 3)
    assert store.read(COUNTY).table.equals(by_key(changed(layer)))


def test_rows_that_a_trigger_changes_are_told(
    postgis: Postgis,
) -> None:
    store, run = postgis
    layer = parcel_layer(50)
    store.publish(layer)
    run(
        f"CREATE FUNCTION {COUNTY}.more() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.value_1 := 1; RETURN NEW; END'"
    )
    run(
        f"CREATE TRIGGER more BEFORE INSERT OR UPDATE ON {TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION {COUNTY}.more()"
    )
    with pytest.raises(LoadError, match=r"sum of value_1.*trigger"):
        store.publish(changed(layer))
    assert store.read(COUNTY).table.equals(by_key(layer))


def test_indexes_that_were_dropped_are_made_again(
    postgis: Postgis,
) -> None:
    store, run = postgis
    layer = parcel_layer(50)
    indexes = f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{COUNTY}' ORDER BY 1"
    store.publish(layer)
    before = run(indexes)
    assert len(before) == 2
    run(f"DROP INDEX {COUNTY}.parcels_geometry_idx")
    run(f"ALTER TABLE {TABLE} DROP CONSTRAINT parcels_pkey")
    assert store.publish(layer).unchanged == 50
    assert run(indexes) == before
    store.publish(changed(layer))
    assert run(indexes) == before


def test_views_that_hinder_other_columns_are_named(
    postgis: Postgis,
) -> None:
    store, run = postgis
    layer = parcel_layer(50)
    store.publish(layer)
    run(f"CREATE VIEW {COUNTY}.seen AS SELECT geometry_id, value_1 FROM {TABLE}")
    run(f"CREATE TABLE {COUNTY}.notes (parcel text REFERENCES {TABLE})")
    fewer = replace(layer, table=layer.table.drop_columns(["code_3"]))
    with pytest.raises(LoadError, match=rf"columns have changed.*{COUNTY}\.notes, {COUNTY}\.seen"):
        store.publish(fewer)
    assert store.read(COUNTY).table.equals(by_key(layer))
    run(f"DROP VIEW {COUNTY}.seen; DROP TABLE {COUNTY}.notes")
    store.publish(fewer)
    assert store.read(COUNTY).table.equals(by_key(fewer))
