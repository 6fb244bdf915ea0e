"""Facts made from the operational store's tables, and brought to the analytics database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import duckdb
import pyarrow as pa

from terrafusion_lib.connectors.analytics_connector import AnalyticsStore
from terrafusion_lib.connectors.analytics_dialect import DuckDbDialect
from terrafusion_lib.connectors.analytics_facts import FACTS, PARTITION, FactTable
from terrafusion_lib.connectors.analytics_partitions import (
    Partition,
    Totals,
    read_totals,
    totals_query,
)
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.schema import Kind
from terrafusion_lib.core.settings import Settings

PLACE_OF = "properties_operational"
RATIO = "source.total_market_value / source.adjusted_sale_price"
FILTERS = {
    "fact_ratios": "source.is_primary_parcel AND source.adjusted_sale_price > 0 "
    "AND source.total_market_value > 0"
}


@dataclass(frozen=True)
class FactLoad:
    """What a load did to one table: its rows, its years, and those that were replaced."""

    rows: int
    years: int
    replaced: int
    removed: int
    marks: dict[int, str]


class CountyFacts:
    """A county's facts as they are to be, in an engine of their own; use it in a ``with`` block."""

    def __init__(
        self,
        county_id: str,
        year: int,
        tables: Mapping[str, pa.Table],
        names: Sequence[str],
        settings: Settings,
    ) -> None:
        self._county_id = county_id
        self._database = duckdb.connect(
            config={"threads": settings.threads, "memory_limit": settings.duckdb_memory_limit}
        )
        for name in names:
            self._make(FACTS[name], tables[FACTS[name].source], tables[PLACE_OF], year)

    def __enter__(self) -> "CountyFacts":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def marks(self, fact: FactTable) -> dict[int, str]:
        """Content mark by year: equal rows have equal marks, whatever their order."""
        names = ", ".join(fact.column_names)
        found = self._database.sql(
            f"SELECT year, printf('%d-%x', count(*), bit_xor(hash({names}))) "
            f"FROM {fact.name} GROUP BY year ORDER BY year"
        )
        return dict(found.fetchall())

    def partition(self, fact: FactTable, year: int, content: str) -> Partition:
        """The rows of one year in the order of their key; a year without any is empty."""
        order = ", ".join(fact.key)
        query = f"FROM {fact.name} WHERE year = $year ORDER BY {order}"
        rows = self._database.sql(query, params={"year": year}).to_arrow_table()
        return Partition(fact, self._county_id, year, rows.cast(fact.arrow_schema()), content)

    def totals(self, fact: FactTable) -> Totals:
        """Totals of all rows."""
        query = totals_query(DuckDbDialect(), fact, fact.name, "true")
        return read_totals(fact, self._database.sql(query).to_arrow_table().to_pylist()[0])

    def _make(self, fact: FactTable, source: pa.Table, places: pa.Table, year: int) -> None:
        own = [name for name in fact.column_names if name not in (*PARTITION, *fact.added)]
        added = [
            f"{RATIO} AS sale_ratio" if name == "sale_ratio" else f"place.{name}"
            for name in fact.added
        ]
        chosen = ", ".join([*(f"source.{name}" for name in own), *added])
        self._database.register("source", source)
        self._database.register("place", places)
        join = "LEFT JOIN place USING (county_id, property_id)" if added else ""
        self._database.execute(
            f"CREATE TABLE {fact.name} AS "
            f"SELECT county_id, CAST({fact.year} AS BIGINT) AS year, {chosen} "
            f"FROM source {join} WHERE {FILTERS.get(fact.name, 'true')}",
            {"assessment_year": year} if "$assessment_year" in fact.year else {},
        )


def bring_facts(
    facts: CountyFacts,
    store: AnalyticsStore,
    names: Sequence[str],
    *,
    county_id: str,
    progress: Progress,
) -> dict[str, FactLoad]:
    """Replace the years that differ, remove those that are gone, and compare all totals.

    Raises
    ------
    LoadError
        The database refuses, or its totals are not those of the facts.
    """
    old = {name: store.contents(FACTS[name], county_id) for name in names}
    new = {name: facts.marks(FACTS[name]) for name in names}
    changed = {
        name: [year for year, mark in marks.items() if old[name].get(year) != mark]
        for name, marks in new.items()
    }
    gone = {
        name: [] if FACTS[name].keeps_years else sorted(old[name].keys() - new[name].keys())
        for name in names
    }
    total = sum(map(len, (*changed.values(), *gone.values())))

    def partitions() -> Iterator[Partition]:
        done = 0
        for name in names:
            for year in (*changed[name], *gone[name]):
                progress("bring facts", done, total)
                yield facts.partition(FACTS[name], year, new[name].get(year, ""))
                done += 1
        progress("bring facts", total, total)

    if total:
        store.apply(partitions())
    rows = {name: _compare(facts, store, FACTS[name], county_id, list(new[name])) for name in names}
    return {
        name: FactLoad(rows[name], len(new[name]), len(changed[name]), len(gone[name]), new[name])
        for name in names
    }


def _compare(
    facts: CountyFacts, store: AnalyticsStore, fact: FactTable, county_id: str, years: list[int]
) -> int:
    """Compare the totals of all years, also those that were not sent; returns the rows."""
    source = facts.totals(fact)
    if not years:
        return 0
    place = f"county_id = {store.dialect.parameter('county_id', Kind.TEXT)}"
    within = f"{place} AND year IN ({', '.join(map(str, years))})"
    query = totals_query(store.dialect, fact, fact.name, within)
    found = store.query(query, {"county_id": county_id}).to_pylist()[0]
    target = read_totals(fact, found)
    if source != target:
        raise LoadError(
            "The analytics database does not hold the facts that it was sent",
            county=county_id,
            table=fact.name,
            examples=[f"source {source}", f"target {target}"],
            cause="another process changed its rows",
            hint=f"delete the county's rows of {fact.name} and run again",
        )
    return source.rows
