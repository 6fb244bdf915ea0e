"""Facts in one DuckDB file, the default: written as a copy and published by renaming."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from terrafusion_lib.analytics.dialect import DuckDbDialect
from terrafusion_lib.analytics.fact_table import CONTENT, FactTable
from terrafusion_lib.analytics.facts import facts
from terrafusion_lib.analytics.partitions import Partition, check_totals
from terrafusion_lib.analytics.totals import (
    Totals,
    no_totals,
    read_totals,
    totals_of,
    totals_query,
)
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.locks import replacing
from terrafusion_lib.core.tables import Kind

Config = dict[str, str | bool | int | float | list[str]]
TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.JSON: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.MONEY: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
}


class DuckDbAnalytics:
    """A DuckDB file that many processes can read while one writes the next version.

    DuckDB lets either one process write a file or many read it. A load therefore works on a copy,
    in one transaction, and renames it at the end: readers always find a complete file, and a
    killed load leaves the old one.
    """

    dialect = DuckDbDialect()

    def __init__(self, path: Path, *, threads: int, memory_limit: str) -> None:
        self.path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory_limit,
        }

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Result from the newest published file.

        Raises
        ------
        LoadError
            Nothing has been loaded yet, or DuckDB rejects the query.
        """
        if not self.path.is_file():
            raise LoadError(
                f"{self.path} does not exist: no facts have been loaded",
                hint="terrafusion run <county>",
            )
        with _errors(self.path), self._connect(self.path, read_only=True) as database:
            return database.sql(sql, params=dict(parameters)).to_arrow_table()

    def contents(self, fact: FactTable, county_id: str) -> dict[int, str]:
        """Content hash by year of the county's rows in the table."""
        if not self.path.is_file():
            return {}
        sql = (
            f"SELECT year, min({CONTENT}) AS mark FROM {fact.name} "
            "WHERE county_id = $county_id AND year IS NOT NULL GROUP BY year"
        )
        rows = self.query(sql, {"county_id": county_id}).to_pylist()
        return {row["year"]: row["mark"] for row in rows}

    def apply(self, partitions: Iterable[Partition]) -> list[Totals]:
        """Replace partitions, all or none; returns the checked totals of each.

        Raises
        ------
        LoadError
            Rows or sums differ, another process writes, or the disk is full; the old file remains.
        """
        with _errors(self.path), replacing(self.path) as temporary:
            if self.path.is_file():
                shutil.copyfile(self.path, temporary)
            with self._connect(temporary) as database:
                database.execute("BEGIN")
                self._create_tables(database)
                loaded = [self._replace(database, item) for item in partitions]
                database.execute("COMMIT")
                database.execute("CHECKPOINT")
        return loaded

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _connect(self, path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(path, read_only=read_only, config=self._config)

    def _create_tables(self, database: duckdb.DuckDBPyConnection) -> None:
        for fact in facts().values():
            wanted = {column.name: TYPES[column.kind] for column in fact.columns}
            wanted[CONTENT] = "VARCHAR"
            columns = ", ".join(f"{name} {kind}" for name, kind in wanted.items())
            database.execute(f"CREATE TABLE IF NOT EXISTS {fact.name} ({columns})")
            described = database.execute(f"DESCRIBE {fact.name}").fetchall()
            if {row[0]: row[1] for row in described} != wanted:
                raise LoadError(
                    f"{self.path} was created by another version: its columns differ",
                    table=fact.name,
                    hint="delete the file; the next run refills it",
                )

    def _replace(self, database: duckdb.DuckDBPyConnection, partition: Partition) -> Totals:
        fact = partition.fact
        source = totals_of(fact, partition.rows, native_hash=True)
        where = "county_id = $county_id AND year = $year"
        values = {"county_id": partition.county_id, "year": partition.year}
        stray = "county_id = $county_id AND (year = $year OR year IS NULL)"
        database.execute(f"DELETE FROM {fact.name} WHERE {stray}", values)
        database.register("arriving", partition.marked_rows())
        database.execute(f"INSERT INTO {fact.name} BY NAME FROM arriving")
        database.unregister("arriving")
        query = totals_query(self.dialect, fact, fact.name, where, native_hash=True)
        stored = read_totals(fact, database.sql(query, params=values).to_arrow_table().to_pylist())
        return check_totals(partition, source, stored.get(partition.year, no_totals(fact)))


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise LoadError(
            f"The analytics database reported an error: {error}",
            hint=f"check {path}; its last good state remains",
        ) from error
