"""Facts in ClickHouse: one ReplacingMergeTree per table, one partition per county and year."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from terrafusion_lib.analytics.dialect import (
    CLICKHOUSE_SETTINGS,
    CLICKHOUSE_TYPES,
    ClickHouseDialect,
)
from terrafusion_lib.analytics.fact_table import CONTENT, PARTITION, FactTable
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
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Column, Kind

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

INSERT_ROWS = 500_000
HIGH_CARDINALITY = ("parcel_number",)


class ClickHouseAnalytics:
    """Tables in one ClickHouse database, on a server, a cluster or in-process.

    A partition is filled and checked in a separate table, then replaces the old one in one step
    (``REPLACE PARTITION``): readers see either the old or the new rows of a year, and a killed
    load leaves the old ones. There is no transaction across partitions: the next run replaces
    those that a killed load did not reach.

    Parameters
    ----------
    cluster : str
        Name for ``ON CLUSTER``; its tables are replicated. Empty: one server.
    """

    dialect = ClickHouseDialect()

    def __init__(self, client: "Client", database: str, *, cluster: str = "") -> None:
        self._client = client
        self._database = database
        self._cluster = f" ON CLUSTER `{cluster}`" if cluster else ""
        self._engine = "ReplicatedReplacingMergeTree" if cluster else "ReplacingMergeTree"
        client.database = database if self._exists() else None

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Result of a query.

        Raises
        ------
        LoadError
            Nothing has been loaded yet, or ClickHouse rejects the query.
        """
        if not self._client.database:
            raise LoadError(
                f"The ClickHouse database {self._database} does not exist: no facts have been "
                "loaded",
                hint="terrafusion run <county>",
            )
        with _errors():
            return self._client.query_arrow(
                sql, parameters=dict(parameters), settings=CLICKHOUSE_SETTINGS, use_strings=True
            )

    def contents(self, fact: FactTable, county_id: str) -> dict[int, str]:
        """Content hash by year of the county's rows in the table."""
        if not self._client.database:
            return {}
        sql = (
            f"SELECT year, min({CONTENT}) AS mark FROM {fact.name} "
            f"WHERE county_id = {self.dialect.parameter('county_id', Kind.TEXT)} GROUP BY year"
        )
        rows = self.query(sql, {"county_id": county_id}).to_pylist()
        return {row["year"]: row["mark"] for row in rows}

    def apply(self, partitions: Iterable[Partition]) -> list[Totals]:
        """Replace partitions one by one; returns the checked totals of each.

        Raises
        ------
        LoadError
            Rows or sums differ, or ClickHouse reports an error; that partition and later ones are
            unchanged.
        """
        with _errors():
            self._create()
            return [self._replace(item) for item in partitions]

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _exists(self) -> bool:
        sql = "SELECT count() FROM system.databases WHERE name = {name:String}"
        with _errors():
            return bool(self._client.command(sql, parameters={"name": self._database}))

    def _command(self, sql: str) -> None:
        self._client.command(sql)

    def _create(self) -> None:
        self._client.database = None
        self._command(f"CREATE DATABASE IF NOT EXISTS {self._database}{self._cluster}")
        self._client.database = self._database
        for fact in facts().values():
            self._command(create_statement(fact, fact.name, self._engine, self._cluster))
            described = self._client.query(f"DESCRIBE TABLE {fact.name}").result_rows
            if {row[0]: row[1] for row in described} != column_types(fact):
                raise LoadError(
                    f"ClickHouse table {self._database}.{fact.name} was created by another "
                    "version: its columns differ",
                    table=fact.name,
                    hint=f"DROP TABLE {self._database}.{fact.name}; the next run refills it",
                )

    def _replace(self, partition: Partition) -> Totals:
        fact, county = partition.fact, partition.county_id
        source = totals_of(fact, partition.rows, native_hash=False)
        place = f"({literal(county)}, {partition.year})"
        if not partition.rows.num_rows:
            self._command(f"ALTER TABLE {fact.name}{self._cluster} DROP PARTITION {place}")
            return source
        arriving = f"{fact.name}__{county}"
        self._command(f"DROP TABLE IF EXISTS {arriving}{self._cluster} SYNC")
        self._command(create_statement(fact, arriving, self._engine, self._cluster))
        rows = partition.marked_rows()
        for start in range(0, rows.num_rows, INSERT_ROWS):
            self._client.insert_arrow(arriving, rows.slice(start, INSERT_ROWS))
        stored = self._client.query_arrow(
            totals_query(self.dialect, fact, arriving, "1 = 1", native_hash=False),
            settings=CLICKHOUSE_SETTINGS,
        )
        arrived = read_totals(fact, stored.to_pylist()).get(partition.year, no_totals(fact))
        totals = check_totals(partition, source, arrived)
        self._command(
            f"ALTER TABLE {fact.name}{self._cluster} REPLACE PARTITION {place} FROM {arriving}"
        )
        self._command(f"DROP TABLE {arriving}{self._cluster} SYNC")
        return totals


def column_types(fact: FactTable) -> dict[str, str]:
    """ClickHouse type by column: keys are not nullable, codes are dictionary-encoded."""
    types = {column.name: _type(column) for column in fact.columns}
    return types | {"county_id": "LowCardinality(String)", CONTENT: "LowCardinality(String)"}


def _type(column: Column) -> str:
    kind = CLICKHOUSE_TYPES[column.kind]
    if not column.nullable:
        return kind
    if column.kind is Kind.TEXT and column.name not in HIGH_CARDINALITY:
        return "LowCardinality(Nullable(String))"
    return f"Nullable({kind})"


def create_statement(fact: FactTable, name: str, engine: str, cluster: str) -> str:
    """``CREATE TABLE IF NOT EXISTS``; duplicate keys would be replaced."""
    columns = ", ".join(f"`{column}` {kind}" for column, kind in column_types(fact).items())
    order = ", ".join((*PARTITION, *fact.key))
    return (
        f"CREATE TABLE IF NOT EXISTS {name}{cluster} ({columns}) ENGINE = {engine} "
        f"PARTITION BY ({', '.join(PARTITION)}) ORDER BY ({order})"
    )


@contextmanager
def _errors() -> Iterator[None]:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        yield
    except ClickHouseError as error:
        text = mask_secrets(str(error)).split("Stack trace")[0].strip()
        raise LoadError(
            f"ClickHouse reported an error: {text}", hint="its last good rows remain"
        ) from error
