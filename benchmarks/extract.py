"""Reading a table into the raw layer, against bare fetches of the same rows in the same run.

    python benchmarks/extract.py             1,000,000 rows of 40 columns from SQLite
    python benchmarks/extract.py --quick     100,000 rows
    python benchmarks/extract.py --rows 5000000

Bare ADBC runs the same SELECT and drops the batches: the least that a columnar read can cost. It
is told the types by a first row of samples, as the connector does; without that it stops at the
first column that begins with nulls. Bare ``sqlite3`` fetches rows by ``fetchmany`` and drops them:
the usual way. The rows lie in the key's order, as in PACS.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from resident import peak_mb

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server.sql_select import compiled, extraction_select
from terrafusion_lib.connectors.sql_server.sqlite_source import DIALECT, SAMPLE
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable
from terrafusion_lib.core.settings import Settings

BATCH = 65_536
KINDS = {
    "whole": ("int", RawType.INTEGER, "n * 7 + {i}"),
    "money": ("numeric(14)", RawType.NUMBER, "n * 100 + {i}"),
    "area": ("numeric(18,4)", RawType.NUMBER, "CASE WHEN n % 3 THEN n / 7.0 + {i} END"),
    "code": ("char(10)", RawType.TEXT, "'CODE' || (n % 90 + {i}) || '    '"),
    "text": ("varchar(255)", RawType.TEXT, "CASE WHEN n % 5 THEN 'LOT ' || n || ' BLOCK {i}' END"),
    "date": ("datetime", RawType.DATE, "date('2015-01-01', (n % 3000) || ' days') || ' 00:00:00'"),
}
COUNTS = {"whole": 8, "money": 10, "area": 6, "code": 8, "text": 4, "date": 2}
KEY = ("prop_val_yr", "sup_num", "prop_id")


def columns() -> dict[str, str]:
    """Names of the columns by kind; with the key they are 41, of which 40 are read."""
    return {f"{kind}_{i}": kind for kind, count in COUNTS.items() for i in range(count)}


def build(path: Path, rows: int) -> None:
    names = columns()
    declared = ", ".join(f"{name} {KINDS[kind][0]}" for name, kind in names.items())
    values = ", ".join(
        KINDS[kind][2].format(i=name.rpartition("_")[2]) for name, kind in names.items()
    )
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(
            f"CREATE TABLE property_val (prop_val_yr numeric(4), sup_num int, prop_id int, "
            f"{declared}, PRIMARY KEY (prop_val_yr, sup_num, prop_id)) WITHOUT ROWID"
        )
        connection.execute(
            f"WITH RECURSIVE c(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM c WHERE n + 1 < ?) "
            f"INSERT INTO property_val SELECT 2022 + n / ((? + 4) / 5), 0, n, {values} FROM c",
            (rows, rows),
        )
    connection.close()


def table() -> SourceTable:
    kinds = {name: KINDS[kind][1] for name, kind in columns().items()}
    return SourceTable(
        name="property_val",
        source="pacs",
        table="dbo.property_val",
        columns={"prop_val_yr": RawType.INTEGER, "prop_id": RawType.INTEGER, **kinds},
        key=KEY,
        filters=(SourceFilter(kind="years", column="prop_val_yr"),),
    )


YEARS = range(2022, 2027)


def bare_sqlite(path: Path) -> int:
    sql = compiled(extraction_select(table(), YEARS, schema=None), DIALECT)
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    cursor, rows = connection.execute(sql), 0
    while batch := cursor.fetchmany(BATCH):
        rows += len(batch)
    connection.close()
    return rows


def bare_adbc(path: Path) -> int:
    from adbc_driver_sqlite import dbapi

    sql = compiled(extraction_select(table(), YEARS, schema=None), DIALECT)
    # Whole numbers of a numeric column are integers in SQLite: REAL is what its types allow.
    inner = ", ".join(
        f"CAST({name} AS REAL)" if kind is RawType.NUMBER else name
        for name, kind in table().columns.items()
    )
    samples = ", ".join(SAMPLE[kind] for kind in table().columns.values())
    rows = -1
    with dbapi.connect(f"{path.as_uri()}?mode=ro") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH)})
        cursor.execute(f"SELECT {samples} UNION ALL SELECT {inner} FROM ({sql})")
        for batch in cursor.fetch_record_batch():
            rows += batch.num_rows
    return rows


def connector(path: Path) -> int:
    source = SqlServerConnector(SqlServerOptions(url=f"sqlite:///{path}"), path.parent)
    return sum(batch.num_rows for batch in source.read(table(), YEARS))


def raw_layer(path: Path) -> int:
    county = CountyConfig(
        county_id="bench_wa",
        name="Benchmark",
        assessment_year=2026,
        sources={
            "pacs": SourceConfig(connector="sql_server", options={"url": f"sqlite:///{path}"})
        },
        mapping=Path("none.yaml"),
    )
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        _, manifest = extract(
            county,
            {"property_val": table()},
            YEARS,
            settings=Settings(root=path.parent, data_dir=Path(folder)),
            clock=lambda: datetime.now(UTC),
        )
    return manifest.tables["property_val"].rows


def timed(work: Callable[[Path], int], path: Path, rows: int) -> float:
    started = time.perf_counter()
    found = work(path)
    if found != rows:
        raise SystemExit(f"{work.__name__} gave {found:,} rows, not {rows:,}")
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--rounds", type=int, default=3, help="alternated; the best counts")
    arguments = parser.parse_args()
    rows = 100_000 if arguments.quick else arguments.rows
    sides = (bare_sqlite, bare_adbc, connector, raw_layer)
    best = dict.fromkeys(sides, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pacs.sqlite"
        build(path, rows)
        for _ in range(arguments.rounds):
            for side in sides:
                best[side] = min(best[side], timed(side, path, rows))
    print(f"{rows:,} rows of {len(table().columns)} columns from SQLite, best of rounds")
    names = {
        bare_sqlite: "bare sqlite3 fetchmany",
        bare_adbc: "bare ADBC",
        connector: "connector (typed, checked batches)",
        raw_layer: "raw layer (and zstd Parquet, hashed, renamed into place)",
    }
    for side, name in names.items():
        print(
            f"  {name:58} {best[side]:7.2f} s {rows / best[side]:12,.0f} rows/s"
            f"  {best[bare_adbc] / best[side]:5.2f} of bare ADBC"
            f"  {best[bare_sqlite] / best[side]:5.2f} of bare sqlite3"
        )
    peak = peak_mb()
    print(f"  peak memory of the process {peak:,.0f} MB (bounded by the batch, not by the table)")


if __name__ == "__main__":
    main()
