"""Loading the operational store against the bare limit of each database, in one run.

First load, unchanged re-load and a re-load with 5 % changed rows of the sales table (its canonical
and housekeeping columns are forty), through Store.load; against the same rows by a bare binary
COPY of bytes encoded beforehand (PostgreSQL) or a bare executemany of tuples made beforehand
(SQLite) into an equal table with the same primary key. The store also reads the file, computes each
row's hash and builds the table's other indexes.

    python benchmarks/load_store.py [--rows 1000000] [--quick] [--database sqlite|postgresql|both]
    python benchmarks/load_store.py --memory --rows 5000000
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from pgpq import ArrowToPostgresBinaryEncoder

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from resident import peak_mb

from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.store.bulk import _TableWork
from terrafusion_lib.store.models import CANONICAL
from terrafusion_lib.store.store import Store, open_store
from tests.support.postgres import server

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = {
    Kind.TEXT: "'text ' || (i % 977)",
    Kind.INTEGER: "i % 100",
    Kind.NUMBER: "(i * 7919 % 100000) / 10.0",
    Kind.MONEY: "(i * 104729 % 900000)::DOUBLE",
    Kind.BOOLEAN: "i % 2 = 0",
    Kind.DATE: "DATE '2020-01-01' + (i % 2000)::INT",
    Kind.JSON: "'{\"a\": ' || (i % 10) || '}'",
}


def write_sales(path: Path, rows: int, *, changed: float = 0.0) -> None:
    """Sales with every column filled; a share of the prices is another."""
    spec = TABLES["sales"]
    columns = {column.name: VALUES[column.kind] for column in spec.columns}
    columns |= {
        "county_id": "'bench_wa'",
        "sale_id": "printf('%09d', i)",
        "property_id": "i::VARCHAR",
    }
    price = f"CASE WHEN i % 1000 < {changed * 1000} THEN 1.0 ELSE {columns['sale_price']} END"
    columns["sale_price"] = price
    chosen = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    with duckdb.connect() as database:
        reader = database.sql(f"SELECT {chosen} FROM range({rows}) t(i)").to_arrow_reader(100_000)
        with pq.ParquetWriter(path, spec.arrow_schema(), compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch.cast(spec.arrow_schema()))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare(store: Store, path: Path) -> float:
    """Seconds of the bare insert of rows that lie ready in memory, transaction included."""
    with store.engine.connect() as connection, duckdb.connect() as database:
        work = _TableWork(connection, CANONICAL["sales"], path, "bench_wa", "r", NOW, silent)
        batches = list(work._batches(database, "true"))  # noqa: SLF001 - the same rows
    with store.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bare AS SELECT * FROM sales WHERE 1 = 0")
        keys = ", ".join(CANONICAL["sales"].primary_key.columns.keys())
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX bare_key ON bare ({keys})")
    names = batches[0].schema.names
    insert = bare_executemany if store.engine.dialect.name == "sqlite" else bare_copy
    return insert(store.engine, names, batches)


def bare_copy(engine: sa.Engine, names: list[str], batches: list[pa.RecordBatch]) -> float:
    """One binary COPY of bytes encoded beforehand."""
    encoder = ArrowToPostgresBinaryEncoder(batches[0].schema)
    parts = [encoder.write_header(), *map(encoder.write_batch, batches), encoder.finish()]
    ready = io.BytesIO(b"".join(parts))
    copy = f"COPY bare ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    start = time.perf_counter()
    with engine.begin() as connection:
        connection.connection.cursor().copy_expert(copy, ready, 1 << 20)
    return time.perf_counter() - start


def bare_executemany(engine: sa.Engine, names: list[str], batches: list[pa.RecordBatch]) -> float:
    """One executemany of tuples made beforehand."""
    rows = [
        row
        for batch in batches
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]
    insert = f"INSERT INTO bare ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    start = time.perf_counter()
    with engine.begin() as connection:
        connection.connection.cursor().executemany(insert, rows)
    return time.perf_counter() - start


def measure(url: str, folder: Path, rows: int) -> None:
    path, changed = folder / "sales.parquet", folder / "changed.parquet"
    write_sales(path, rows)
    write_sales(changed, rows, changed=0.05)
    with open_store(url) as store:
        store.migrate()

        def load(source: Path, run: str) -> float:
            return timed(
                lambda: store.load(
                    "bench_wa", {"sales": source}, run_id=run, fingerprint=run, clock=lambda: NOW
                )
            )

        first = load(path, "first")
        peak = peak_mb()
        again = load(path, "again")
        some = load(changed, "changed")
        limit = bare(store, path)
    name = sa.make_url(url).get_backend_name()
    columns = len(CANONICAL["sales"].columns)
    print(f"{name}: {rows:,} rows of {columns} columns")
    for label, seconds in (
        ("bare insert of ready rows", limit),
        ("first load", first),
        ("unchanged re-load", again),
        ("re-load, 5 % changed", some),
    ):
        rate, share = rows / seconds, limit / seconds
        print(f"  {label:28} {seconds:6.2f} s  {rate:9,.0f} rows/s  {share:5.2f} of bare")
    print(f"  peak memory of the process up to the first load: {peak:,.0f} MB")


def measure_memory(url: str, folder: Path, rows: int) -> None:
    """Peak memory of a first load in a process that does nothing else."""
    path = folder / "many.parquet"
    write_sales(path, rows)
    code = (
        "import sys; from pathlib import Path; import load_store as b; "
        "store = b.open_store(sys.argv[1]); store.migrate(); "
        "store.load('many_wa', {'sales': Path(sys.argv[2])}, run_id='m', fingerprint='m', "
        "clock=lambda: b.NOW); "
        "print(round(b.peak_mb()))"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, url, str(path)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'benchmarks'}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    name = sa.make_url(url).get_backend_name()
    print(f"{name}: first load of {rows:,} rows, peak memory {int(done.stdout.split()[-1]):,} MB")


def urls(database: str, folder: Path) -> Iterator[str]:
    if database in ("sqlite", "both"):
        yield f"sqlite:///{folder / 'store.db'}"
    if database in ("postgresql", "both"):
        with server("-c max_wal_size=4GB") as url:
            yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--memory", action="store_true", help="only the peak memory of a load")
    options = parser.parse_args()
    rows = 50_000 if options.quick else options.rows
    with tempfile.TemporaryDirectory() as folder:
        for url in urls(options.database, Path(folder)):
            if options.memory:
                measure_memory(url, Path(folder), rows)
            else:
                measure(url, Path(folder), rows)


if __name__ == "__main__":
    main()
