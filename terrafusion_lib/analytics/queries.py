"""The analyses that run on the analytics database, each written once for both engines.

Every analysis has a fixed schema, is sorted by its grouping columns and gives the same result on
DuckDB and ClickHouse (see `analytics_dialect`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from terrafusion_lib.analytics.dialect import (
    Dialect,
    earlier,
    label,
    mean,
    percent_change,
    ratio,
    total,
)
from terrafusion_lib.analytics.store import AnalyticsStore
from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.tables import Kind

AREAS = ("neighborhood_code", "tax_area", "situs_city", "property_type", "property_class")
RATIO_PARTS = 1_000_000_000
STUDIES = ("dor_valid", "county_valid")

TEXT, WHOLE, FLOAT, DAY = pa.string(), pa.int64(), pa.float64(), pa.date32()


@dataclass(frozen=True)
class Analysis:
    """One analysis: `sql` builds its text for a dialect and an area column."""

    name: str
    meaning: str
    fact: str
    schema: pa.Schema
    sql: Callable[[Dialect, str], str]
    areas: tuple[str, ...] = AREAS


def analyze(
    store: AnalyticsStore,
    name: str,
    *,
    county_id: str,
    first_year: int,
    last_year: int,
    area: str = "neighborhood_code",
) -> pa.Table:
    """Run an analysis for a county and the years from `first_year` to `last_year`.

    Parameters
    ----------
    name : str
        A key of `ANALYSES`.
    area : str
        Grouping column; one of the analysis's table.

    Raises
    ------
    ConfigError
        The analysis or the area is unknown; the closest name is suggested.
    LoadError
        Nothing has been loaded yet, or the database reports an error.
    """
    if name not in ANALYSES:
        raise ConfigError(
            f"There is no analysis {name!r}",
            hint=did_you_mean(name, ANALYSES) or "one of " + ", ".join(ANALYSES),
        )
    analysis = ANALYSES[name]
    if area not in analysis.areas:
        raise ConfigError(f"{name} cannot be grouped by {area!r}", examples=analysis.areas)
    parameters = {"county_id": county_id, "first_year": first_year, "last_year": last_year}
    answer = store.query(analysis.sql(store.dialect, area), parameters)
    return answer.select(analysis.schema.names).cast(analysis.schema)


def _where(dialect: Dialect, *, years_before: int = 0) -> str:
    county = dialect.parameter("county_id", Kind.TEXT)
    first = dialect.parameter("first_year", Kind.INTEGER)
    last = dialect.parameter("last_year", Kind.INTEGER)
    return f"county_id = {county} AND year BETWEEN {first} - {years_before} AND {last}"


def _quartiles(dialect: Dialect, value: str, of: str) -> str:
    names = ("lower_quartile", "median", "upper_quartile")
    quartiles = zip(dialect.quartiles(value), names, strict=True)
    return ", ".join(f"{sql} AS {name}_{of}" for sql, name in quartiles)


MARKET = "coalesce(county_valid, false) AND is_primary_parcel AND adjusted_sale_price > 0"
"""Sales valid for the county's study, each once."""


def _sales_by_month(dialect: Dialect, area: str) -> str:
    return f"""
SELECT {label(area)} AS area, {dialect.month("sale_date")} AS month,
  {label("property_class")} AS class, count(*) AS sale_count,
  {total(dialect, "adjusted_sale_price")} AS total_price,
  {mean(dialect, "adjusted_sale_price")} AS mean_price,
  {_quartiles(dialect, "adjusted_sale_price", "price")},
  {dialect.quantile(ratio("adjusted_sale_price", "building_area_sqft"), 0.5)}
    AS median_price_per_sqft
FROM fact_sales WHERE {_where(dialect)} AND {MARKET}
GROUP BY 1, 2, 3 ORDER BY 1, 2 NULLS LAST, 3"""


def _price_trend(dialect: Dialect, area: str) -> str:
    month_ago, year_ago = (
        earlier("median_price", "area", "month_number", steps) for steps in (1, 12)
    )
    return f"""
WITH monthly AS (
  SELECT {label(area)} AS area, {dialect.month("sale_date")} AS month, year AS sale_year,
    year * 12 + month(sale_date) AS month_number, count(*) AS sale_count,
    {dialect.quantile("adjusted_sale_price", 0.5)} AS median_price
  FROM fact_sales WHERE {_where(dialect, years_before=1)} AND {MARKET}
    AND sale_date IS NOT NULL
  GROUP BY 1, 2, 3, 4),
compared AS (
  SELECT area, month, sale_year, sale_count, median_price,
    {month_ago} AS month_ago, {year_ago} AS year_ago
  FROM monthly)
SELECT area, month, sale_count, median_price,
  {percent_change("median_price", "month_ago")} AS change_in_month_pct,
  {percent_change("median_price", "year_ago")} AS change_in_year_pct
FROM compared WHERE sale_year >= {dialect.parameter("first_year", Kind.INTEGER)}
ORDER BY 1, 2"""


def _values_by_year(dialect: Dialect, area: str) -> str:
    total_ago, median_ago = (
        earlier(name, "area, class", "assessment_year", 1)
        for name in ("total_value", "median_value")
    )
    return f"""
WITH yearly AS (
  SELECT {label(area)} AS area, {label("property_class")} AS class, year AS assessment_year,
    count(*) AS parcel_count, {total(dialect, "market_value")} AS total_value,
    {total(dialect, "new_construction_value")} AS total_new_construction,
    {dialect.quantile("market_value", 0.5)} AS median_value
  FROM fact_parcel_values WHERE {_where(dialect, years_before=1)}
  GROUP BY 1, 2, 3),
compared AS (
  SELECT area, class, assessment_year, parcel_count, total_value, total_new_construction,
    median_value, {total_ago} AS total_ago, {median_ago} AS median_ago
  FROM yearly)
SELECT area, class, assessment_year, parcel_count, total_value, total_new_construction,
  median_value, {percent_change("total_value", "total_ago")} AS total_change_pct,
  {percent_change("median_value", "median_ago")} AS median_change_pct
FROM compared WHERE assessment_year >= {dialect.parameter("first_year", Kind.INTEGER)}
ORDER BY 1, 2, 3"""


def _value_changes(dialect: Dialect, area: str) -> str:
    where = _where(dialect, years_before=1)
    return f"""
WITH changes AS (
  SELECT now.area AS area, now.roll_year AS roll_year,
    {percent_change("now.market_value", "ago.market_value")} AS change_pct
  FROM (SELECT {label(area)} AS area, year AS roll_year, property_id, market_value
    FROM fact_parcel_values WHERE {_where(dialect)}) AS now
  JOIN (SELECT property_id, year + 1 AS next_year, market_value
    FROM fact_parcel_values WHERE {where}) AS ago
  ON ago.property_id = now.property_id AND ago.next_year = now.roll_year)
SELECT area, roll_year AS assessment_year, count(change_pct) AS parcel_count,
  {_quartiles(dialect, "change_pct", "change_pct")}
FROM changes GROUP BY 1, 2 ORDER BY 1, 2"""


LARGEST_SUM = 9e9
"""Larger sums of deviations have no COD: their billionths would overflow integers."""


def _cod(dialect: Dialect) -> str:
    """COD of the group's ratios; null if a ratio is absurdly far off."""
    deviation = "abs(sale_ratio - median_ratio)"
    small = f"CASE WHEN {deviation} < {LARGEST_SUM!r} THEN {deviation} ELSE 0 END"
    cod = f"100.0 * {mean(dialect, small, parts=RATIO_PARTS)} / nullif(median_ratio, 0)"
    return f"CASE WHEN sum({deviation}) < {LARGEST_SUM!r} THEN {cod} END"


def _ratios(study: str) -> Callable[[Dialect, str], str]:
    def sql(dialect: Dialect, area: str) -> str:
        return f"""
WITH ratios AS (
  SELECT {label(area)} AS area, year AS sale_year, sale_ratio
  FROM fact_ratios WHERE {_where(dialect)} AND coalesce({study}, false)
    AND sale_ratio IS NOT NULL),
medians AS (
  SELECT area AS of_area, sale_year AS of_year, count(*) AS sale_count,
    {_quartiles(dialect, "sale_ratio", "ratio")}
  FROM ratios GROUP BY 1, 2)
SELECT area, sale_year, sale_count, lower_quartile_ratio, median_ratio, upper_quartile_ratio,
  {_cod(dialect)} AS cod
FROM ratios JOIN medians ON area = of_area AND sale_year = of_year
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2"""

    return sql


def _land_rates(dialect: Dialect, area: str) -> str:
    return f"""
SELECT {label(area)} AS area, year AS assessment_year, {label("land_type")} AS land_type,
  count(*) AS segment_count, {total(dialect, "area_sqft")} AS total_area_sqft,
  {total(dialect, "market_value")} AS total_value,
  {ratio(total(dialect, "market_value"), total(dialect, "area_sqft"))} AS value_per_sqft,
  {dialect.quantile(ratio("market_value", "area_sqft"), 0.5)} AS median_value_per_sqft
FROM fact_land_segments WHERE {_where(dialect)}
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


SALE_AREAS = ("neighborhood_code", "property_type", "property_class")
QUARTILE_RATIOS = dict.fromkeys(
    ("lower_quartile_ratio", "median_ratio", "upper_quartile_ratio"), FLOAT
)
ANALYSES: dict[str, Analysis] = {
    analysis.name: analysis
    for analysis in (
        Analysis(
            "sales_by_month",
            "Count, total, mean and quartiles of price, and median price per square foot, of "
            "valid sales (county code) by area, month and class",
            "fact_sales",
            _schema(
                area=TEXT,
                month=DAY,
                **{"class": TEXT},
                sale_count=WHOLE,
                total_price=FLOAT,
                mean_price=FLOAT,
                lower_quartile_price=FLOAT,
                median_price=FLOAT,
                upper_quartile_price=FLOAT,
                median_price_per_sqft=FLOAT,
            ),
            _sales_by_month,
            SALE_AREAS,
        ),
        Analysis(
            "price_trend",
            "Median price by area and month, with its change over one month and one year",
            "fact_sales",
            _schema(
                area=TEXT,
                month=DAY,
                sale_count=WHOLE,
                median_price=FLOAT,
                change_in_month_pct=FLOAT,
                change_in_year_pct=FLOAT,
            ),
            _price_trend,
            SALE_AREAS,
        ),
        Analysis(
            "values_by_year",
            "Total and median value and new construction on the roll by area, class and year, "
            "with changes",
            "fact_parcel_values",
            _schema(
                area=TEXT,
                **{"class": TEXT},
                assessment_year=WHOLE,
                parcel_count=WHOLE,
                total_value=FLOAT,
                total_new_construction=FLOAT,
                median_value=FLOAT,
                total_change_pct=FLOAT,
                median_change_pct=FLOAT,
            ),
            _values_by_year,
        ),
        Analysis(
            "value_changes",
            "Quartiles of parcel value changes by area and year",
            "fact_parcel_values",
            _schema(
                area=TEXT,
                assessment_year=WHOLE,
                parcel_count=WHOLE,
                lower_quartile_change_pct=FLOAT,
                median_change_pct=FLOAT,
                upper_quartile_change_pct=FLOAT,
            ),
            _value_changes,
        ),
        *(
            Analysis(
                f"ratios_{study.removesuffix('_valid')}",
                f"Median ratio, quartiles and COD of sales with {study}, by area and year of sale",
                "fact_ratios",
                _schema(area=TEXT, sale_year=WHOLE, sale_count=WHOLE, **QUARTILE_RATIOS, cod=FLOAT),
                _ratios(study),
                SALE_AREAS,
            )
            for study in STUDIES
        ),
        Analysis(
            "land_rates",
            "Land area, value and value per square foot by area, year and land type",
            "fact_land_segments",
            _schema(
                area=TEXT,
                assessment_year=WHOLE,
                land_type=TEXT,
                segment_count=WHOLE,
                total_area_sqft=FLOAT,
                total_value=FLOAT,
                value_per_sqft=FLOAT,
                median_value_per_sqft=FLOAT,
            ),
            _land_rates,
        ),
    )
}
