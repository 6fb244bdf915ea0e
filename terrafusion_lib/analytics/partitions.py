"""The unit of loading: rows of one table, county and year, with totals to check."""

from dataclasses import dataclass

import pyarrow as pa

from terrafusion_lib.analytics.fact_table import CONTENT, FactTable
from terrafusion_lib.analytics.totals import Totals
from terrafusion_lib.core.errors import LoadError


@dataclass(frozen=True)
class Partition:
    """New rows of one table, county and year; no rows removes the partition.

    `content` is the hash of the rows, stored with them so that the next load can see that nothing
    changed.
    """

    fact: FactTable
    county_id: str
    year: int
    rows: pa.Table
    content: str

    def marked_rows(self) -> pa.Table:
        """The rows with the content hash column."""
        mark = pa.repeat(pa.scalar(self.content), self.rows.num_rows)
        return self.rows.append_column(pa.field(CONTENT, pa.string(), nullable=False), mark)


def check_totals(partition: Partition, source: Totals, target: Totals) -> Totals:
    """Compare what was sent with what was stored; returns the latter.

    Raises
    ------
    LoadError
        Rows, counts, a sum or the hash differ; the old partition remains.
    """
    if source == target:
        return target
    raise LoadError(
        f"The rows of {partition.year} that were stored do not match the rows that were sent",
        county=partition.county_id,
        table=partition.fact.name,
        examples=differing(source, target),
        hint="the old rows remain; run again, and check the server's log if it recurs",
    )


def differing(source: Totals, target: Totals) -> list[str]:
    """Differences between the totals."""
    return [
        f"{name}: {sent} sent, {target.by_name[name]} stored"
        for name, sent in source.by_name.items()
        if sent != target.by_name[name]
    ]
