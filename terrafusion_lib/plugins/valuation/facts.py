"""A valuation's facts for the analytics database."""

from terrafusion_lib.analytics.fact_table import PLACE, fact_of
from terrafusion_lib.plugins.valuation.tables import RATIO_STATISTICS, VALUATIONS

FACTS = (
    fact_of(
        "fact_valuations",
        "One row per property: its value in the latest run, or why it has none",
        VALUATIONS,
        key="property_id",
        columns="run_id valuation_date estimated_value low_value high_value confidence_score "
        "valuation_method comparables_used review_reasons not_valued_reason",
        year="coalesce(source.assessment_year, $assessment_year)",
        added=PLACE,
        keeps_years=True,
    ),
    fact_of(
        "fact_ratio_statistics",
        "One row per study, stratum and statistic of the latest run's ratio study",
        RATIO_STATISTICS,
        key="study grouping stratum statistic",
        columns="run_id n estimate ci_low ci_high confidence_level limit_low limit_high "
        "verdict standard",
        year="$assessment_year",
        keeps_years=True,
    ),
)
