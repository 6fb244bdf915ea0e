"""The operational store, on SQLite and on a real PostgreSQL: the same tests on both."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from terrafusion_lib.core.declared import declared_plugins, result_table, result_tables
from terrafusion_lib.core.errors import ConfigError, LoadError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.store import audit
from terrafusion_lib.store.bulk import TableLoad
from terrafusion_lib.store.models import metadata
from terrafusion_lib.store.plugin_tables import jobs_of, results_of
from terrafusion_lib.store.store import Store, open_store

NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'operational.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        opened.migrate()
        yield opened


def sales(rows: int, **changes: dict[int, object]) -> pa.Table:
    """Sales with every kind of column filled; `changes` by column and row number."""
    spec = TABLES["sales"]
    values: dict[str, list[object]] = {name: [None] * rows for name in spec.column_names}
    values |= {
        "county_id": ["test_wa"] * rows,
        "sale_id": [f"{number:06d}" for number in range(rows)],
        "property_id": [str(number) for number in range(rows)],
        "deed_type": ["", 'WD, "x"', "Peña\n2", None][:rows] + ["WD"] * max(0, rows - 4),
        "sale_date": [date(2025, 1, 1) + timedelta(days=number % 365) for number in range(rows)],
        "sale_price": [400_000.25 + number for number in range(rows)],
        "dor_valid": [number % 2 == 0 for number in range(rows)],
        "parcel_count": [1] * rows,
    }
    for name, cells in changes.items():
        for row, value in cells.items():
            values[name][row] = value
    return pa.table(values, schema=spec.arrow_schema())


def geometry() -> pa.Table:
    spec = TABLES["parcels_geometry"]
    row = dict.fromkeys(spec.column_names)
    row |= {
        "county_id": "test_wa",
        "geometry_id": "1",
        "geometry": b"\x00\x01\xff\\,",
        "part_count": 2,
    }
    return pa.Table.from_pylist([row], schema=spec.arrow_schema())


def load(
    store: Store, folder: Path, table: pa.Table, *, name: str = "sales", run: str = "r1"
) -> TableLoad:
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    result = store.load("test_wa", {name: path}, run_id=run, fingerprint=run, clock=lambda: NOW)
    return result.tables[name]


def test_the_migrated_schema_is_the_models_and_migrating_twice_does_nothing(store: Store) -> None:
    store.migrate()
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_no_version_table}
        )
        assert compare_metadata(context, every_table()) == []


def every_table() -> sa.MetaData:
    """The platform's tables, and those that plugins declare."""
    every = sa.MetaData(naming_convention=metadata.naming_convention)
    of_plugins = [results_of(name) for name in result_tables()]
    of_plugins += [table for name in declared_plugins() if (table := jobs_of(name)) is not None]
    for table in (*metadata.tables.values(), *of_plugins):
        table.to_metadata(every)
    return every


def is_no_version_table(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and str(name).startswith("alembic_version"))


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LoadError, match="revision 9999"):
        store.migrate()


def test_what_is_loaded_is_read_back_to_the_last_bit(store: Store, tmp_path: Path) -> None:
    table = sales(10)
    assert load(store, tmp_path, table) == TableLoad(read=10, inserted=10)
    assert store.read("sales", county_id="test_wa").equals(table)
    load(store, tmp_path, geometry(), name="parcels_geometry")
    assert store.read("parcels_geometry", county_id="test_wa").equals(geometry())
    some = store.read("sales", county_id="test_wa", columns=["sale_id", "sale_price"])
    assert some.column_names == ["sale_id", "sale_price"]
    assert store.read("sales", county_id="other_wa").num_rows == 0


def test_a_reload_of_unchanged_data_writes_nothing(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(100))
    assert load(store, tmp_path, sales(100), run="r2") == TableLoad(read=100, unchanged=100)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT last_sync_id FROM sales").all() == [
            ("r1",)
        ]


def test_changed_gone_and_returned_rows_are_counted(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(10))
    changed = sales(9, sale_price={3: 1.0}, deed_type={4: ""})
    assert load(store, tmp_path, changed, run="r2") == TableLoad(
        read=9, updated=2, unchanged=7, deactivated=1
    )
    assert store.read("sales", county_id="test_wa").equals(changed)
    assert store.read("sales", county_id="test_wa", active_only=False).num_rows == 10
    returned = load(store, tmp_path, sales(10), run="r3")
    assert returned == TableLoad(read=10, updated=2, unchanged=7, reactivated=1)
    assert store.read("sales", county_id="test_wa").equals(sales(10))


def test_null_and_empty_text_are_not_the_same(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(2, deed_type={0: None}))
    assert load(store, tmp_path, sales(2, deed_type={0: ""}), run="r2").updated == 1


def test_an_empty_source_deactivates_and_loses_nothing(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(5))
    assert load(store, tmp_path, sales(0), run="r2") == TableLoad(read=0, deactivated=5)
    assert store.read("sales", county_id="test_wa", active_only=False).num_rows == 5


def test_a_duplicate_key_fails_the_whole_load(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(3))
    twice = pa.concat_tables([sales(3, sale_price={0: 9.0}), sales(1)])
    with pytest.raises(LoadError, match="rejected the load"):
        load(store, tmp_path, twice, run="r2")
    assert store.read("sales", county_id="test_wa").equals(sales(3))
    assert store.last_load_fingerprint("test_wa") == "r1"


def test_all_tables_are_loaded_or_none(store: Store, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    pq.write_table(geometry(), good)
    pq.write_table(pa.concat_tables([sales(1), sales(1)]), bad)
    with pytest.raises(LoadError):
        store.load(
            "test_wa",
            {"parcels_geometry": good, "sales": bad},
            run_id="r1",
            fingerprint="f",
            clock=lambda: NOW,
        )
    assert store.read("parcels_geometry", county_id="test_wa").num_rows == 0


def test_a_missing_file_column_or_table_is_named(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    pq.write_table(sales(1).drop_columns(["sale_price"]), path)
    for tables, message in (
        ({"sales": path}, "lacks columns.*sale_price"),
        ({"sales": tmp_path / "none.parquet"}, "does not exist"),
        ({"sailes": path}, "not a canonical table"),
    ):
        with pytest.raises(LoadError, match=message):
            store.load("test_wa", tables, run_id="r", fingerprint="f", clock=lambda: NOW)


def test_quarantine_is_stored_with_the_load(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "quarantine.parquet"
    columns = ("table_name", "rule", "reason", "severity", "source_key", "row_json")
    pq.write_table(pa.table({name: [name, name] for name in columns}), path)
    for run in ("r1", "r1", "r2"):
        store.load("test_wa", {}, run_id=run, fingerprint=run, quarantine=path, clock=lambda: NOW)
    with store.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT run_id, number, rule FROM quarantine ORDER BY 1, 2"
        )
        assert rows.all() == [
            ("r1", 1, "rule"),
            ("r1", 2, "rule"),
            ("r2", 1, "rule"),
            ("r2", 2, "rule"),
        ]


SLOW_LOAD = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from terrafusion_lib.store.store import open_store
def progress(task, done, total):
    print("loading", flush=True)
    time.sleep(float(sys.argv[3]))
with open_store(sys.argv[1]) as store:
    store.load("test_wa", {"sales": Path(sys.argv[2])}, run_id="killed", fingerprint="killed",
               clock=lambda: datetime.now(UTC), progress=progress)
"""


def start_slow_load(url: str, path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW_LOAD, url, str(path), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "loading"
    return process


def test_kill_in_the_middle_leaves_the_last_good_state(
    url: str, store: Store, tmp_path: Path
) -> None:
    load(store, tmp_path, sales(1000))
    changed = sales(1000, sale_price=dict.fromkeys(range(1000), 1.0))
    pq.write_table(changed, tmp_path / "changed.parquet")
    process = start_slow_load(url, tmp_path / "changed.parquet", 60)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert store.read("sales", county_id="test_wa").equals(sales(1000))
    assert load(store, tmp_path, changed, run="r2").updated == 1000


def test_two_loads_at_once_follow_one_another(url: str, store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, sales(100))
    pq.write_table(sales(100, sale_price={5: 1.0}), tmp_path / "one.parquet")
    process = start_slow_load(url, tmp_path / "one.parquet", 1.0)
    began = time.monotonic()
    result = load(store, tmp_path, sales(100, sale_price={5: 1.0, 6: 1.0}), run="r2")
    assert time.monotonic() - began > 0.5
    assert (result.updated, result.unchanged) == (1, 99)
    process.communicate()
    assert process.returncode == 0
    assert store.last_load_fingerprint("test_wa") == "r2"


def test_a_full_disk_is_told_and_rolled_back(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}") as store:
        store.migrate()
        load(store, tmp_path, sales(10))

        def limit(connection: object, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 120")  # type: ignore[attr-defined]

        store.engine.dispose()
        sa.event.listen(store.engine, "connect", limit)
        with pytest.raises(LoadError, match="disk is full"):
            load(store, tmp_path, sales(50_000), run="r2")
        assert store.read("sales", county_id="test_wa").equals(sales(10))


def results(rows: int, value: float) -> pa.Table:
    spec = result_table("valuations")
    base = dict.fromkeys(spec.column_names) | {
        "run_id": "r1",
        "county_id": "test_wa",
        "valuation_date": date(2026, 1, 1),
        "estimated_value": value,
    }
    listed = [base | {"property_id": f"{number:04d}"} for number in range(rows)]
    return pa.Table.from_pylist(listed, schema=spec.arrow_schema())


def test_results_of_a_run_are_replaced_whole(store: Store) -> None:
    keys = {"county_id": "test_wa", "run_id": "r1"}
    assert not store.has_results("test_wa", "r1", "valuations")
    store.save_results({"valuations": results(5, 1.0)}, **keys)
    store.save_results({"valuations": results(3, 2.0)}, **keys)
    assert store.has_results("test_wa", "r1", "valuations")
    assert store.read_results("valuations", **keys).equals(results(3, 2.0))
    assert store.read_results("valuations", county_id="test_wa", run_id="r2").num_rows == 0


def test_the_ledger_keeps_runs_steps_and_closes_what_died(store: Store) -> None:
    fields = {
        "county_id": "test_wa",
        "assessment_year": 2026,
        "username": "ann",
        "note": "n",
        "parameters": {"year": None},
        "versions": {"duckdb": "2"},
        "code_fingerprint": "c",
        "input_fingerprint": "i",
        "started_at": NOW,
    }
    step = {"reason": "", "fingerprint": "f", "seconds": 1.0, "rows": {}, "outputs": {}}
    store.start_run("r1", **fields)
    for _ in range(2):
        store.record_step("r1", step="20_map", ordinal=1, status="completed", **step)
    store.finish_run("r1", status="COMPLETED", finished_at=NOW)
    store.promote("r1", promoted_at=NOW)
    store.start_run("r2", **fields | {"started_at": NOW + timedelta(hours=1)})
    assert store.close_stale_runs("test_wa", clock=lambda: NOW) == 1
    runs = store.list_runs("test_wa")
    assert [(run["run_id"], run["status"]) for run in runs] == [
        ("r2", "FAILED"),
        ("r1", "COMPLETED"),
    ]
    assert runs[1]["parameters"] == {"year": None}
    assert store.list_runs("other_wa") == []


def test_the_audit_log_is_append_only_and_sealed(store: Store) -> None:
    with store.engine.begin() as connection:
        for action in ("login", "run", "approve"):
            audit.append(connection, at=NOW, username="ann", action=action, detail={"x": 1})
        assert audit.broken_entries(connection) == []
    for statement in ("UPDATE audit_log SET username = 'bob'", "DELETE FROM audit_log"):
        with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("wrong", ["mysql://u@h/d", "not a url", "postgresql+nodriver://h/d"])
def test_a_wrong_url_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"TERRAFUSION_OPERATIONAL_URL (is|specifies)"):
        open_store(wrong)


def test_an_unreachable_server_is_told_without_its_password() -> None:
    with open_store("postgresql+psycopg2://ann:hunter2@127.0.0.1:1/db") as store:
        with pytest.raises(LoadError, match="server is not running") as caught:
            store.list_runs()
        assert "hunter2" not in str(caught.value)
