"""The tables of the analytics database: facts and dimensions, by county and year.

Columns are those of the canonical tables, named in `core.schema`; a few are added from the
property that a row belongs to, so that an analysis needs no join. Names, addresses and other
personal data are left out. Plugins add facts of their result tables.
"""

from terrafusion_lib.analytics.fact_table import PLACE, FactTable, fact_of
from terrafusion_lib.core.declared import declared_plugins
from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Column, Kind

CHARACTERISTICS = (
    "land_area_sqft building_area_sqft year_built effective_year_built quality condition "
    "is_waterfront"
)
CANONICAL_FACTS: dict[str, FactTable] = {
    fact.name: fact
    for fact in (
        fact_of(
            "dim_parcels",
            "One row per property and assessment year",
            TABLES["properties_operational"],
            key="property_id",
            columns="parcel_number property_type property_class use_code neighborhood_code "
            f"subdivision_code tax_area situs_city zoning {CHARACTERISTICS} land_value "
            "improvement_value current_market_value assessed_value taxable_value "
            "new_construction_value prior_market_value is_exempt latitude longitude",
            year="coalesce(source.assessment_year, $assessment_year)",
            keeps_years=True,
        ),
        fact_of(
            "fact_parcel_values",
            "One row per property and assessment year: values on the roll",
            TABLES["values_history"],
            key="property_id",
            columns="land_value improvement_value market_value assessed_value taxable_value "
            "new_construction_value",
            year="source.assessment_year",
            added=PLACE,
        ),
        fact_of(
            "fact_sales",
            "One row per sale and parcel; year of the sale",
            TABLES["sales"],
            key="sale_id property_id",
            columns="sale_date sale_price adjusted_sale_price deed_type dor_valid county_valid "
            "parcel_count is_primary_parcel is_land_only personal_property_value "
            "parcel_market_value total_market_value property_type property_class "
            f"neighborhood_code {CHARACTERISTICS}",
            year="coalesce(year(source.sale_date), 0)",
        ),
        fact_of(
            "fact_ratios",
            "One row per sale with a price and a value, on its primary parcel; year of the sale",
            TABLES["sales"],
            key="sale_id property_id",
            columns="sale_date adjusted_sale_price total_market_value dor_valid county_valid "
            "property_type property_class neighborhood_code",
            year="coalesce(year(source.sale_date), 0)",
            added=(
                Column(
                    "sale_ratio",
                    Kind.NUMBER,
                    "Market value on the roll divided by adjusted sale price",
                ),
            ),
        ),
        fact_of(
            "fact_land_segments",
            "One row per land segment of the assessment year",
            TABLES["land_segments"],
            key="property_id segment_id",
            columns="land_type land_use_code area_sqft area_acres unit_price market_value "
            "is_current_use current_use_code use_value",
            year="$assessment_year",
            added=PLACE,
            keeps_years=True,
        ),
    )
}
"""Tables that come from the operational load."""


def facts() -> dict[str, FactTable]:
    """Every table of the analytics database by name: canonical ones, then those of plugins.

    Raises
    ------
    PluginError
        Two have the same name.
    """
    known = dict(CANONICAL_FACTS)
    for name, plugin in declared_plugins().items():
        for fact in plugin.facts:
            if fact.name in known:
                raise PluginError(f"Plugin {name} declares {fact.name}, which already exists")
            known[fact.name] = fact
    return known
