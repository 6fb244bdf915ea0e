"""Builds facts from the operational tables and writes them to the analytics database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import duckdb
import pyarrow as pa

from terrafusion_lib.analytics.dialect import DuckDbDialect
from terrafusion_lib.analytics.fact_table import PARTITION, FactTable
from terrafusion_lib.analytics.facts import facts as every_fact
from terrafusion_lib.analytics.partitions import Partition, differing
from terrafusion_lib.analytics.store import AnalyticsStore
from terrafusion_lib.analytics.totals import (
    Totals,
    content_of,
    no_totals,
    read_totals,
    stored_totals,
    totals_query,
)
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.settings import Settings

PLACE_OF = "properties_operational"
RATIO = "source.total_market_value / source.adjusted_sale_price"
FILTERS = {
    "fact_ratios": "source.is_primary_parcel AND source.adjusted_sale_price > 0 "
    "AND source.total_market_value > 0"
}


@dataclass(frozen=True)
class FactLoad:
    """Result of a load for one table: its rows, its years, and the years replaced."""

    rows: int
    years: int
    replaced: int
    removed: int
    marks: dict[int, str]


class CountyFacts:
    """A county's new facts, in a separate engine; use it in a ``with`` block."""

    def __init__(
        self,
        county_id: str,
        year: int,
        tables: Mapping[str, pa.Table],
        names: Sequence[str],
        settings: Settings,
    ) -> None:
        self._county_id = county_id
        self._totals: dict[tuple[str, bool], dict[int, Totals]] = {}
        self._database = duckdb.connect(
            config={"threads": settings.threads, "memory_limit": settings.duckdb_memory_limit}
        )
        for name in names:
            fact = every_fact()[name]
            self._make(fact, tables[fact.source], tables[PLACE_OF], year)

    def __enter__(self) -> "CountyFacts":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def marks(self, fact: FactTable, *, native_hash: bool) -> dict[int, str]:
        """Content hash by year: equal rows have equal hashes, regardless of order."""
        names = ", ".join(fact.column_names)
        rows = self._database.sql(
            f"SELECT year, printf('%x', bit_xor(hash(hash({names})))) "
            f"FROM {fact.name} GROUP BY year ORDER BY year"
        )
        totals = self.totals(fact, native_hash=native_hash)
        return {year: content_of(exact, totals[year]) for year, exact in rows.fetchall()}

    def partition(self, fact: FactTable, year: int, content: str) -> Partition:
        """The rows of one year in key order; empty for a year without rows."""
        order = ", ".join(fact.key)
        query = f"FROM {fact.name} WHERE year = $year ORDER BY {order}"
        rows = self._database.sql(query, params={"year": year}).to_arrow_table()
        return Partition(fact, self._county_id, year, rows.cast(fact.arrow_schema()), content)

    def totals(self, fact: FactTable, *, native_hash: bool) -> dict[int, Totals]:
        """Totals by year, with the target's hash."""
        known = self._totals.get((fact.name, native_hash))
        if known is None:
            query = totals_query(DuckDbDialect(), fact, fact.name, "true", native_hash=native_hash)
            rows = self._database.sql(query).to_arrow_table().to_pylist()
            known = self._totals[fact.name, native_hash] = read_totals(fact, rows)
        return known

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


@dataclass(frozen=True)
class Differences:
    """Years of each table to replace, and years no longer present."""

    changed: dict[str, list[int]]
    gone: dict[str, list[int]]

    @property
    def total(self) -> int:
        """Years to write."""
        return sum(map(len, (*self.changed.values(), *self.gone.values())))


def bring_facts(
    facts: CountyFacts,
    store: AnalyticsStore,
    names: Sequence[str],
    *,
    county_id: str,
    progress: Progress,
) -> dict[str, FactLoad]:
    """Replace years that differ and remove years that are gone, then compare all totals. A year
    differs if its content hash or the totals of its stored rows differ, so rows changed by someone
    else are replaced.

    Raises
    ------
    LoadError
        The database reports an error, or its totals differ from the facts.
    """
    native = store.dialect.native_hash
    marks = {name: facts.marks(every_fact()[name], native_hash=native) for name in names}
    different = _differences(facts, store, marks, county_id)
    if different.total:
        store.apply(_partitions(facts, marks, different, progress))
        for name in names:
            _compare(facts, store, every_fact()[name], county_id)
    return {
        name: FactLoad(
            sum(t.rows for t in facts.totals(every_fact()[name], native_hash=native).values()),
            len(marks[name]),
            len(different.changed[name]),
            len(different.gone[name]),
            marks[name],
        )
        for name in names
    }


def _differences(
    facts: CountyFacts, store: AnalyticsStore, marks: Mapping[str, dict[int, str]], county_id: str
) -> Differences:
    changed, gone = {}, {}
    for name, new in marks.items():
        fact = every_fact()[name]
        old = store.contents(fact, county_id)
        same = [year for year, mark in new.items() if old.get(year) == mark]
        stored = stored_totals(store, fact, county_id, same)
        source = facts.totals(fact, native_hash=store.dialect.native_hash)
        kept = {year for year in same if stored.get(year) == source[year]}
        changed[name] = [year for year in new if year not in kept]
        gone[name] = [] if fact.keeps_years else sorted(old.keys() - new.keys())
    return Differences(changed, gone)


def _partitions(
    facts: CountyFacts,
    marks: Mapping[str, dict[int, str]],
    found: Differences,
    progress: Progress,
) -> Iterator[Partition]:
    done = 0
    for name, new in marks.items():
        for year in (*found.changed[name], *found.gone[name]):
            progress("bring facts", done, found.total)
            yield facts.partition(every_fact()[name], year, new.get(year, ""))
            done += 1
    progress("bring facts", found.total, found.total)


def _compare(facts: CountyFacts, store: AnalyticsStore, fact: FactTable, county_id: str) -> None:
    """Compare the totals of all years, including years not sent."""
    source = facts.totals(fact, native_hash=store.dialect.native_hash)
    target = stored_totals(store, fact, county_id, list(source))
    for year, totals in source.items():
        stored = target.get(year, no_totals(fact))
        if totals != stored:
            raise LoadError(
                f"The analytics database does not match the facts of {year} that were sent",
                county=county_id,
                table=fact.name,
                examples=differing(totals, stored),
                cause="another process is changing its rows",
                hint="run again when no other process is writing the analytics database",
            )
