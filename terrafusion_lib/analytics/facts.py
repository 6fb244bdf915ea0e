"""The tables of the analytics database: facts and dimensions, by county and year.

Columns are those of the canonical tables, named in `core.schema`; a few are added from the
property that a row belongs to, so that an analysis needs no join. Names, addresses and other
personal data are left out.
"""

from dataclasses import dataclass

import pyarrow as pa

from terrafusion_lib.core.result_tables import RESULT_TABLES
from terrafusion_lib.core.schema import TABLES, CanonicalTable, Column, Kind

PARTITION = ("county_id", "year")
CONTENT = "content_hash"
"""Column that marks the load a row came with: equal in all rows of one county and year."""


@dataclass(frozen=True)
class FactTable:
    """One table of the analytics database.

    `key` is unique within a county and year and never null. `year` is the SQL of the year from
    the columns of `source`. A table that `keeps_years` gets the rows of one assessment year at a
    time, so those of earlier ones stay; any other mirrors the operational store.
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

    def arrow_schema(self) -> pa.Schema:
        """Arrow schema of the rows that are sent."""
        return CanonicalTable(self.name, self.meaning, self.key, self.columns).arrow_schema()


CHARACTERISTICS = (
    "land_area_sqft building_area_sqft year_built effective_year_built quality condition "
    "is_waterfront"
)
PLACE = (
    Column("neighborhood_code", Kind.TEXT, "Appraisal neighborhood of the property"),
    Column("property_type", Kind.TEXT, "Property type of the property"),
    Column("property_class", Kind.TEXT, "Land use code of the property"),
    Column("tax_area", Kind.TEXT, "Tax code area of the property"),
    Column("situs_city", Kind.TEXT, "City of the property"),
)


def _fact(
    name: str,
    meaning: str,
    source: str,
    *,
    key: str,
    columns: str,
    year: str,
    added: tuple[Column, ...] = (),
    keeps_years: bool = False,
) -> FactTable:
    """A table of canonical columns of `source`; `year` is the SQL of the partition's year."""
    spec = (TABLES | RESULT_TABLES)[source]
    known = {column.name: column for column in spec.columns}
    keys = tuple(key.split())
    county = Column("county_id", Kind.TEXT, "County", nullable=False)
    of_year = Column("year", Kind.INTEGER, "Year of the partition", nullable=False)
    chosen = [known[column] for column in (*keys, *columns.split())]
    own = [Column(c.name, c.kind, c.meaning, nullable=c.name not in keys) for c in chosen]
    return FactTable(
        name,
        meaning,
        source,
        keys,
        (county, of_year, *own, *added),
        year,
        tuple(column.name for column in added),
        keeps_years,
    )


FACTS: dict[str, FactTable] = {
    fact.name: fact
    for fact in (
        _fact(
            "dim_parcels",
            "One row per property and assessment year",
            "properties_operational",
            key="property_id",
            columns="parcel_number property_type property_class use_code neighborhood_code "
            f"subdivision_code tax_area situs_city zoning {CHARACTERISTICS} land_value "
            "improvement_value current_market_value assessed_value taxable_value "
            "new_construction_value prior_market_value is_exempt latitude longitude",
            year="coalesce(source.assessment_year, $assessment_year)",
            keeps_years=True,
        ),
        _fact(
            "fact_parcel_values",
            "One row per property and assessment year: values of the roll",
            "values_history",
            key="property_id",
            columns="land_value improvement_value market_value assessed_value taxable_value "
            "new_construction_value",
            year="source.assessment_year",
            added=PLACE,
        ),
        _fact(
            "fact_sales",
            "One row per sale and parcel; year is that of the sale",
            "sales",
            key="sale_id property_id",
            columns="sale_date sale_price adjusted_sale_price deed_type dor_valid county_valid "
            "parcel_count is_primary_parcel is_land_only personal_property_value "
            "parcel_market_value total_market_value property_type property_class "
            f"neighborhood_code {CHARACTERISTICS}",
            year="coalesce(year(source.sale_date), 0)",
        ),
        _fact(
            "fact_ratios",
            "One row per sale with a price and a value, on its primary parcel; year of the sale",
            "sales",
            key="sale_id property_id",
            columns="sale_date adjusted_sale_price total_market_value dor_valid county_valid "
            "property_type property_class neighborhood_code",
            year="coalesce(year(source.sale_date), 0)",
            added=(
                Column(
                    "sale_ratio", Kind.NUMBER, "Market value of the roll to adjusted sale price"
                ),
            ),
        ),
        _fact(
            "fact_land_segments",
            "One row per land segment of the assessment year",
            "land_segments",
            key="property_id segment_id",
            columns="land_type land_use_code area_sqft area_acres unit_price market_value "
            "is_current_use current_use_code use_value",
            year="$assessment_year",
            added=PLACE,
            keeps_years=True,
        ),
        _fact(
            "fact_valuations",
            "One row per property: the latest run's value, or why it has none",
            "valuations",
            key="property_id",
            columns="run_id valuation_date estimated_value low_value high_value confidence_score "
            "valuation_method comparables_used review_reasons not_valued_reason",
            year="coalesce(source.assessment_year, $assessment_year)",
            added=PLACE,
            keeps_years=True,
        ),
        _fact(
            "fact_ratio_statistics",
            "One row per study, stratum and statistic of the latest run's ratio study",
            "ratio_statistics",
            key="study grouping stratum statistic",
            columns="run_id n estimate ci_low ci_high confidence_level limit_low limit_high "
            "verdict standard",
            year="$assessment_year",
            keeps_years=True,
        ),
    )
}
OF_LOAD = tuple(name for name, fact in FACTS.items() if fact.source in TABLES)
"""Tables that come from the operational load."""
OF_VALUES = tuple(name for name, fact in FACTS.items() if fact.source in RESULT_TABLES)
"""Tables that come from a valuation."""
