"""What every connector offers: tables, columns, freshness and a stream of Arrow batches."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from terrafusion_lib.core.config import did_you_mean, nearest
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, ReadAccount, SourceTable

BATCH_ROWS = 65_536

ARROW_TYPES: dict[RawType, pa.DataType] = {
    RawType.TEXT: pa.string(),
    RawType.INTEGER: pa.int64(),
    RawType.NUMBER: pa.float64(),
    RawType.DATE: pa.date32(),
    RawType.TIMESTAMP: pa.timestamp("us"),
    RawType.BOOLEAN: pa.bool_(),
    RawType.GEOMETRY: pa.binary(),
}


@dataclass(frozen=True)
class SourceColumn:
    """One column as the source declares it; `type` is the source's own name for it."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class CheckItem:
    """One line of a connection check; `ok` is None if there was nothing to check."""

    name: str
    ok: bool | None
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a connector can do; `retries`: how often a table restarts after transient faults."""

    pushdown: bool
    row_estimate: bool
    freshness: bool
    cancel: bool
    retries: int = 0


class TransientError(ConnectError):
    """A transient fault (deadlock, timeout, lost connection): the table can be restarted."""


class Connector(Protocol):
    """A source system, read only.

    A connector is built by ``Class(options, folder=…)`` from its own ``Options`` model and opens
    nothing until the first call. `read` checks table and columns first and raises ConnectError
    naming what is missing; every batch has the schema `raw_schema(table)`, except that a column of
    a *file* that cannot be read as its declared type is text in all batches.
    """

    name: str
    capabilities: Capabilities

    def check(self) -> list[CheckItem]:
        """The connection check; does not raise for anything missing."""
        ...

    def tables(self) -> list[str]:
        """Names of the tables that can be read, sorted."""
        ...

    def columns(self, table: str) -> list[SourceColumn]:
        """Columns of one table in the source's order."""
        ...

    def verify(self, table: SourceTable) -> None:
        """Compare table, columns and types with the source, without reading a row.

        Raises
        ------
        ConnectError
            Something is missing or has another type; the closest names are suggested.
        """
        ...

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:
        """Approximate number of rows `read` will send; None if the source does not say."""
        ...

    def freshness(self, table: SourceTable) -> str:
        """Approximate number of rows `read` will send; None if unknown."""
        ...

    def read(
        self, table: SourceTable, years: Sequence[int], *, batch_rows: int = BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        """Stream the table; raises TransientError for a fault after which it can be restarted.

        Closing the generator stops the read at the source.
        """
        ...

    def close(self) -> None:
        """Free connections; the connector may be used again."""
        ...


@runtime_checkable
class Accounting(Protocol):
    """A connector that accounts for what it read, from the file's lines to the rows it sent."""

    def account(self, table: SourceTable) -> ReadAccount | None:
        """What became of the table's files in the last reading that ended; None before it."""
        ...

    def look(self, table: SourceTable) -> str:
        """What a reading finds: of a small file all of it, of a large one its beginning.

        Raises
        ------
        ConnectError
            It cannot be read; the line is named.
        """
        ...


def raw_schema(table: SourceTable) -> pa.Schema:
    """Arrow schema of a table in the raw layer."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in table.columns.items()])


def find_table(name: str, known: Sequence[str], *, source: str) -> str:
    """The table in `known` that matches `name`, ignoring case.

    Raises
    ------
    ConnectError
        There is none; the closest names are suggested.
    """
    by_fold = {item.casefold(): item for item in known}
    table = by_fold.get(name.casefold())
    if table is None:
        raise ConnectError(
            f"{source} has no table {name}",
            table=name,
            examples=nearest(name, known, count=3),
            cause="it has a different name, or this login may not see it",
            hint=did_you_mean(name, known) or "terrafusion connect check <county>",
        )
    return table


def find_columns(
    wanted: Sequence[str], known: Sequence[SourceColumn], *, table: str
) -> dict[str, SourceColumn]:
    """Source column for each wanted name, ignoring case.

    Raises
    ------
    ConnectError
        Some are missing; the error lists all of them with the closest names.
    """
    by_fold = {column.name.casefold(): column for column in known}
    missing = [name for name in wanted if name.casefold() not in by_fold]
    if missing:
        names = [column.name for column in known]
        raise ConnectError(
            f"Table {table} lacks {len(missing)} of the {len(wanted)} columns that the mapping "
            "reads",
            table=table,
            column=", ".join(missing),
            hint="; ".join(
                f"{name}: {did_you_mean(name, names) or 'no similar column'}" for name in missing
            ),
        )
    return {name: by_fold[name.casefold()] for name in wanted}
