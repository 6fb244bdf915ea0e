"""Builds the SELECT for one source table: needed columns, filters pushed down, ordered by key.

Rows are sorted at the source. PACS keys are clustered primary keys, so the order costs the server
nothing. The same data give the same file byte for byte, and nothing needs to be sorted in memory
here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.raw import SourceFilter, SourceTable

FUTURE_LAYER = 0
"""PACS keeps the next year's roll in year 0; it is never read."""

SOURCE = "source"
"""Alias of the table: SQL Server deprecates columns named schema.table.column."""


def split_name(table: str, default_schema: str) -> tuple[str, str]:
    """Schema and name of ``dbo.property_val``."""
    schema, _, name = table.rpartition(".")
    return schema or default_schema, name


def extraction_select(
    table: SourceTable,
    years: Sequence[int],
    *,
    schema: str | None,
    names: Mapping[str, str] | None = None,
) -> sa.Select[Any]:
    """The SELECT of a source table; columns have the mapping's names.

    Parameters
    ----------
    schema : str or None
        Default schema; None for a database without schemas (SQLite).
    names : mapping, optional
        The source's spelling of each column, which may differ in case.

    Raises
    ------
    ConfigError
        A filter is incomplete or no year is left to read.
    """
    source = _table(table.table, schema).alias(SOURCE)
    spelled = names or {}
    columns = [_column(source, spelled.get(name, name)).label(name) for name in table.columns]
    conditions = [_condition(source, item, years, schema, table.name) for item in table.filters]
    order = [_column(source, spelled.get(name, name)) for name in table.key]
    return sa.select(*columns).where(*conditions).order_by(*order)


def count_select(table: SourceTable, years: Sequence[int], *, schema: str | None) -> sa.Select[Any]:
    """Number of rows that `extraction_select` returns."""
    source = _table(table.table, schema).alias(SOURCE)
    conditions = [_condition(source, item, years, schema, table.name) for item in table.filters]
    return sa.select(sa.func.count()).select_from(source).where(*conditions)


def filter_columns(table: SourceTable) -> list[str]:
    """Columns needed for filters and order, in addition to those read."""
    names = [item.column for item in table.filters if item.column]
    names += [name for item in table.filters for name in item.on]
    return [name for name in dict.fromkeys([*names, *table.key]) if name not in table.columns]


def compiled(statement: sa.ClauseElement, dialect: Dialect) -> str:
    """The statement as text with its values written in (years and configured constants only)."""
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _table(name: str, schema: str | None) -> sa.TableClause:
    owner, bare = split_name(name, schema or "")
    return sa.table(bare, schema=owner if schema is not None else None)


def _column(source: sa.FromClause, name: str) -> sa.ColumnClause[Any]:
    column: sa.ColumnClause[Any] = sa.column(name)
    column.table = source
    return column


def _condition(
    source: sa.FromClause,
    item: SourceFilter,
    years: Sequence[int],
    schema: str | None,
    table: str,
) -> sa.ColumnElement[bool]:
    if item.kind == "current_supplement":
        return _current_supplement(source, item, schema, table)
    if not item.column:
        raise ConfigError(f"Filter {item.kind} needs a column", table=table)
    column = _column(source, item.column)
    if item.kind == "years":
        wanted = sorted({int(year) for year in years} - {FUTURE_LAYER})
        if not wanted:
            raise ConfigError("No year is left to read", table=table, column=item.column)
        return column.in_([sa.literal(year, sa.Integer()) for year in wanted])
    if item.value is None:
        return column.is_(None)
    if isinstance(item.value, int):
        return column == sa.literal(item.value, sa.Integer())
    # SQL Server ignores trailing blanks when comparing char(n); SQLite must be told to.
    padded = column if schema is not None else sa.func.rtrim(column)
    return padded == sa.literal(item.value, sa.VARCHAR())


def _current_supplement(
    source: sa.FromClause, item: SourceFilter, schema: str | None, table: str
) -> sa.ColumnElement[bool]:
    """EXISTS instead of a join, because it can never multiply rows."""
    if not item.association or not item.on:
        raise ConfigError("Filter current_supplement needs association and on", table=table)
    current = _table(item.association, schema).alias("current_supplement")
    pairs = [_column(current, theirs) == _column(source, ours) for ours, theirs in item.on.items()]
    return sa.exists(sa.select(sa.literal_column("1")).select_from(current).where(*pairs))
