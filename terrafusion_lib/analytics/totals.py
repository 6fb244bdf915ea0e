"""Totals of the rows of one table and year, for comparing source and target.

Defined once, so that both engines and the source agree: rows, non-null values, exact sums of all
numbers, and a hash of all values regardless of row order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.analytics.dialect import HUNDREDTHS, Dialect, DuckDbDialect
from terrafusion_lib.analytics.fact_table import PARTITION, FactTable
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.tables import Column, Kind

LARGEST = 9e16
"""Money and areas this large, or not finite, are rejected."""
MILLIONTHS = 1_000_000
LARGEST_NUMBER = 1e9
"""Other numbers this large, or not finite, are counted but not summed."""
SEPARATOR, NULL = "\x1f", "\x1e"


@dataclass(frozen=True)
class Totals:
    """What is compared.

    Parameters
    ----------
    counts : dict
        Non-null values, by column.
    sums : dict
        Sums in whole parts (hundredths of money and areas, millionths of other numbers) by column;
        null if there is nothing to sum.
    mark : int
        Hash of all values; 0 without rows.
    """

    rows: int
    counts: dict[str, int]
    sums: dict[str, int | None]
    mark: int

    @property
    def by_name(self) -> dict[str, int | None]:
        """All of them in one mapping."""
        counts = {f"values of {name}": count for name, count in self.counts.items()}
        return {"rows": self.rows, **self.sums, **counts, "hash of all values": self.mark}


class Answers(Protocol):
    """Something that runs a query in its dialect."""

    @property
    def dialect(self) -> Dialect: ...

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table: ...


def content_of(exact: str, totals: Totals) -> str:
    """Content hash of a year: an exact hash of the rows, and their `Totals.mark`."""
    return f"{exact}-{_ending(totals)}"


def is_content(content: str, totals: Totals) -> bool:
    """Whether rows with these totals match a content hash."""
    return content.endswith(f"-{_ending(totals)}")


def _ending(totals: Totals) -> str:
    return f"{totals.rows}-{totals.mark:x}"


def totals_of(fact: FactTable, rows: pa.Table, *, native_hash: bool) -> Totals:
    """Totals of the source's rows of one year; the sums by Arrow, not by either database.

    Parameters
    ----------
    native_hash : bool
        `native_hash` of the target's dialect.

    Raises
    ------
    LoadError
        Money or an area is too large, or not finite.
    """
    import duckdb

    columns = _compared(fact)
    sums = {c.name: _sum(fact, c, rows[c.name]) for c in columns if _parts(c)}
    counts = {c.name: rows.num_rows - rows[c.name].null_count for c in columns}
    with duckdb.connect() as database:
        database.register("rows", rows)
        query = f"SELECT {mark_sql(DuckDbDialect(), fact, native=native_hash)} FROM rows"
        mark = database.sql(query).fetchall()[0][0]
    return Totals(rows.num_rows, counts, sums, int(mark or 0))


def _sum(fact: FactTable, column: Column, values: pa.ChunkedArray) -> int | None:
    small = pc.less(pc.abs(values), _largest(column))  # NaN is not less
    bad = pc.invert(small)
    if _parts(column) == HUNDREDTHS and pc.any(bad).as_py():
        raise LoadError(
            "Values are not finite or are too large to sum",
            table=fact.name,
            column=column.name,
            count=pc.sum(bad).as_py(),
            examples=values.filter(bad).slice(0, 5).to_pylist(),
        )
    scaled = pc.floor(pc.add(pc.multiply(values.filter(small), float(_parts(column))), 0.5))
    total: int | None = pc.sum(scaled.cast(pa.int64())).as_py()
    return total


def totals_query(
    dialect: Dialect, fact: FactTable, table: str, where: str, *, native_hash: bool
) -> str:
    """Query for the totals by year of a table's rows.

    Parameters
    ----------
    dialect : Dialect
        Dialect of the engine that runs the query.
    native_hash : bool
        `native_hash` of the target's dialect, which may differ.
    """
    columns = _compared(fact)
    counts = [f"count({column.name}) AS count_{column.name}" for column in columns]
    sums = [f"sum({_scaled(dialect, c)}) AS total_{c.name}" for c in columns if _parts(c)]
    mark = f"{mark_sql(dialect, fact, native=native_hash)} AS content_mark"
    chosen = ", ".join(["year AS of_year", "count(*) AS row_count", mark, *counts, *sums])
    return f"SELECT {chosen} FROM {table} WHERE {where} GROUP BY year"


def read_totals(fact: FactTable, rows: Iterable[Mapping[str, Any]]) -> dict[int, Totals]:
    """Totals by year from the rows of `totals_query`."""
    return {int(row["of_year"]): _read(fact, row) for row in rows}


def _read(fact: FactTable, row: Mapping[str, Any]) -> Totals:
    columns = _compared(fact)
    counts = {column.name: int(row[f"count_{column.name}"]) for column in columns}
    sums = {column.name: row[f"total_{column.name}"] for column in columns if _parts(column)}
    exact = {name: None if value is None else int(value) for name, value in sums.items()}
    return Totals(int(row["row_count"]), counts, exact, int(row["content_mark"] or 0))


def no_totals(fact: FactTable) -> Totals:
    """Totals of no rows."""
    columns = _compared(fact)
    sums = {column.name: None for column in columns if _parts(column)}
    return Totals(0, {column.name: 0 for column in columns}, dict(sums), 0)


def stored_totals(
    store: Answers, fact: FactTable, county_id: str, years: Sequence[int]
) -> dict[int, Totals]:
    """Totals by year of a county's rows in an analytics database."""
    if not years:
        return {}
    place = f"county_id = {store.dialect.parameter('county_id', Kind.TEXT)}"
    within = f"{place} AND year IN ({', '.join(map(str, years))})"
    native = store.dialect.native_hash
    query = totals_query(store.dialect, fact, fact.name, within, native_hash=native)
    return read_totals(fact, store.query(query, {"county_id": county_id}).to_pylist())


def mark_sql(dialect: Dialect, fact: FactTable, *, native: bool) -> str:
    """Hash of all values of a table's rows, independent of order.

    With the `native` hash, numbers count exactly; otherwise in whole parts. The native hash of a
    row ends with an xor of its last column's hash, so it is hashed again; otherwise swapped values
    in that column would go unnoticed.
    """
    if native:
        return f"bit_xor(hash(hash({', '.join(column.name for column in _compared(fact))})))"
    texts = []
    for column in _compared(fact):
        value = _scaled(dialect, column) if _parts(column) else column.name
        texts.append(f"coalesce({dialect.text(value)}, '{NULL}')")
    return dialect.mark(f"concat_ws('{SEPARATOR}', {', '.join(texts)})")


def _compared(fact: FactTable) -> list[Column]:
    return [column for column in fact.columns if column.name not in PARTITION]


def _parts(column: Column) -> int:
    """Parts per unit in which a column is summed; 0 for columns that are not summed."""
    if column.kind is Kind.MONEY or column.name.endswith("area_sqft"):
        return HUNDREDTHS
    return MILLIONTHS if column.kind is Kind.NUMBER else 0


def _largest(column: Column) -> float:
    return LARGEST if _parts(column) == HUNDREDTHS else LARGEST_NUMBER


def _scaled(dialect: Dialect, column: Column) -> str:
    """A number in whole parts; null if too large or not finite. ClickHouse also converts the value
    behind a null, so that value is set to zero.
    """
    small = f"abs({column.name}) < {_largest(column)!r}"
    whole = dialect.whole(f"CASE WHEN {small} THEN {column.name} ELSE 0 END", _parts(column))
    return f"CASE WHEN {small} THEN {whole} END"
