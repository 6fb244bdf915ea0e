"""Tables of the analytics database: columns of a stored table, by county and year."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terrafusion_lib.core.tables import Column, Kind, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

PARTITION = ("county_id", "year")
CONTENT = "content_hash"
"""Column with the content hash of the load: equal in all rows of one county and year."""


@dataclass(frozen=True)
class FactTable:
    """One table of the analytics database.

    `key` is unique within a county and year and never null. `year` is the SQL of the year from
    the columns of `source`. A table that `keeps_years` receives one assessment year at a time and
    keeps earlier years; any other mirrors the operational database.
    """

    name: str
    meaning: str
    source: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    year: str
    added: tuple[str, ...] = ()
    keeps_years: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def arrow_schema(self) -> "pa.Schema":
        """Arrow schema of the rows that are sent."""
        return TableSpec(self.name, self.meaning, self.key, self.columns).arrow_schema()


PLACE = (
    Column("neighborhood_code", Kind.TEXT, "Appraisal neighborhood of the property"),
    Column("property_type", Kind.TEXT, "Property type of the property"),
    Column("property_class", Kind.TEXT, "Land use code of the property"),
    Column("tax_area", Kind.TEXT, "Tax code area of the property"),
    Column("situs_city", Kind.TEXT, "City of the property"),
)


def fact_of(
    name: str,
    meaning: str,
    source: TableSpec,
    *,
    key: str,
    columns: str,
    year: str,
    added: tuple[Column, ...] = (),
    keeps_years: bool = False,
) -> FactTable:
    """A table of canonical columns of `source`; `year` is the SQL of the partition's year."""
    known = {column.name: column for column in source.columns}
    keys = tuple(key.split())
    county = Column("county_id", Kind.TEXT, "County", nullable=False)
    of_year = Column("year", Kind.INTEGER, "Year of the partition", nullable=False)
    chosen = [known[column] for column in (*keys, *columns.split())]
    own = [Column(c.name, c.kind, c.meaning, nullable=c.name not in keys) for c in chosen]
    return FactTable(
        name,
        meaning,
        source.name,
        keys,
        (county, of_year, *own, *added),
        year,
        tuple(column.name for column in added),
        keeps_years,
    )
