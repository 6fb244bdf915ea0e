"""What is loaded at once: the rows of one table, county and year, with the totals to check."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.analytics_dialect import HUNDREDTHS, Dialect
from terrafusion_lib.connectors.analytics_facts import CONTENT, FactTable
from terrafusion_lib.core.errors import LoadError

LARGEST = 2.0**63


@dataclass(frozen=True)
class Totals:
    """Rows and, by money or area column, the sum in whole hundredths; null when all are null."""

    rows: int
    sums: dict[str, int | None]

    @property
    def by_name(self) -> dict[str, int | None]:
        """Rows and sums in one mapping."""
        return {"rows": self.rows, **self.sums}


@dataclass(frozen=True)
class Partition:
    """Rows of one table, county and year as they are to be; no rows removes the partition.

    `content` is the hash of the rows; it is kept with them, and tells the next load that nothing
    changed.
    """

    fact: FactTable
    county_id: str
    year: int
    rows: pa.Table
    content: str

    def marked_rows(self) -> pa.Table:
        """The rows with the column that marks their load."""
        mark = pa.repeat(pa.scalar(self.content), self.rows.num_rows)
        return self.rows.append_column(pa.field(CONTENT, pa.string(), nullable=False), mark)


def totals_of(fact: FactTable, rows: pa.Table) -> Totals:
    """Totals of the source's rows, computed by Arrow and not by either database.

    Raises
    ------
    LoadError
        A value is too large, or not finite, so that no total can be checked.
    """
    return Totals(rows.num_rows, {name: _sum(fact, name, rows[name]) for name in fact.sums})


def _sum(fact: FactTable, name: str, column: pa.ChunkedArray) -> int | None:
    scaled = pc.floor(pc.add(pc.multiply(column, float(HUNDREDTHS)), 0.5))
    bad = pc.invert(pc.less(pc.abs(scaled), LARGEST))  # NaN is not less
    if pc.any(bad).as_py():
        raise LoadError(
            "Values are not finite or too large to add up",
            table=fact.name,
            column=name,
            count=pc.sum(bad).as_py(),
            examples=column.filter(bad).slice(0, 5).to_pylist(),
        )
    total: int | None = pc.sum(scaled.cast(pa.int64())).as_py()
    return total


def totals_query(dialect: Dialect, fact: FactTable, table: str, where: str) -> str:
    """Query for the totals of a table's partition in the target."""
    sums = [f"sum({dialect.whole(name, HUNDREDTHS)}) AS total_{name}" for name in fact.sums]
    return f"SELECT {', '.join(['count(*) AS row_count', *sums])} FROM {table} WHERE {where}"


def read_totals(fact: FactTable, row: Mapping[str, Any]) -> Totals:
    """Totals from the one row that `totals_query` gives."""
    sums = {name: row[f"total_{name}"] for name in fact.sums}
    exact = {name: None if value is None else int(value) for name, value in sums.items()}
    return Totals(int(row["row_count"]), exact)


def check_totals(partition: Partition, source: Totals, target: Totals) -> Totals:
    """Compare what was sent with what has arrived; returns it.

    Raises
    ------
    LoadError
        Rows or a sum differ; the old partition stands.
    """
    if source == target:
        return target
    wrong = [
        f"{name}: {sent} sent, {target.by_name[name]} arrived"
        for name, sent in source.by_name.items()
        if sent != target.by_name[name]
    ]
    raise LoadError(
        f"The rows of {partition.year} that arrived are not those that were sent",
        county=partition.county_id,
        table=partition.fact.name,
        examples=wrong,
        hint="the old rows stand; run again, and look at the server's log if it happens again",
    )
