"""Writes columns into SQLite fast: Arrow through ADBC in a thread, while the next are made."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.demo.columns import Table, as_array

PENDING = 2
"""Tables that may wait to be written; bounds the memory."""
_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-131072",
            "temp_store=MEMORY")  # fmt: skip
_SCHEMA = ("codes", "properties", "improvements", "owners_values", "sales", "work")


class TableWriter:
    """Appends rows to the tables of a new PACS database; counts them by table."""

    def __init__(self, path: Path) -> None:
        import adbc_driver_sqlite.dbapi as adbc

        _create(path)
        self.rows: dict[str, int] = {}
        self._connection = adbc.connect(str(path), autocommit=True)
        for pragma in _PRAGMAS:
            with self._connection.cursor() as cursor:
                cursor.execute(f"PRAGMA {pragma}")
                cursor.fetchall()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._waiting: list[Future[None]] = []

    def append(self, name: str, columns: Table) -> None:
        """Queue rows for table `name`; single values are repeated, absent columns are null."""
        length = next(len(c) for c in columns.values() if hasattr(c, "__len__")
                      and not isinstance(c, str))  # fmt: skip
        self.rows[name] = self.rows.get(name, 0) + length
        if not length:
            return
        batch = pa.table({key: as_array(column, length) for key, column in columns.items()})
        self._waiting.append(self._thread.submit(self._ingest, name, batch))
        while len(self._waiting) > PENDING:
            self._waiting.pop(0).result()

    def _ingest(self, name: str, batch: pa.Table) -> None:
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, batch, mode="append")

    def finish(self) -> None:
        """Wait for all rows; raises what failed."""
        for future in self._waiting:
            future.result()
        self._waiting.clear()

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._connection.close()


@contextmanager
def table_writer(path: Path) -> Iterator[TableWriter]:
    """A writer into a new database at `path`; indexes and statistics are made at the end."""
    writer = TableWriter(path)
    try:
        yield writer
        writer.finish()
    finally:
        writer.close()
    with sqlite3.connect(path) as connection:
        connection.executescript(_statements("indexes"))
        connection.execute("PRAGMA analysis_limit=400")
        connection.execute("ANALYZE")
    connection.close()


def _statements(name: str) -> str:
    return (resources.files(__package__) / "schema" / f"{name}.sql").read_text("utf-8")


def _create(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size=8192")
    for name in _SCHEMA:
        connection.executescript(_statements(name))
    connection.commit()
    connection.close()
