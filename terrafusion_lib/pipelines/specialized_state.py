"""Whether the geometry store and the analytics database still have what a step wrote."""

from collections.abc import Mapping
from contextlib import closing

from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.analytics.facts import facts
from terrafusion_lib.analytics.store import AnalyticsStore, open_analytics
from terrafusion_lib.analytics.totals import is_content, stored_totals
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.results.products import StepRecord


def specialized_reason(settings: Settings, record: StepRecord) -> str | None:
    """Why the stores need the step again; None if they have its product."""
    county = record.county_id
    if "parcels" in record.rows:
        with closing(open_geometry(settings)) as geometry:
            published = geometry.row_count(county) or 0
            if published != record.rows["parcels"]["published"]:
                return "the geometry store has a different parcel layer"
            if published and not geometry.is_intact(county):
                return "the parcel layer in the geometry store has been changed"
    with closing(open_analytics(settings)) as analytics:
        for name, marks in record.marks.items():
            wanted = {int(year): mark for year, mark in marks.items()}
            if not _holds(analytics, facts()[name], county, wanted):
                return f"the analytics database has different rows in {name}"
    return None


def _holds(
    analytics: AnalyticsStore, fact: FactTable, county_id: str, marks: Mapping[int, str]
) -> bool:
    """Whether the years have these content hashes, and rows that match them."""
    found = analytics.contents(fact, county_id)
    if any(found.get(year) != mark for year, mark in marks.items()):
        return False
    stored = stored_totals(analytics, fact, county_id, list(marks))
    return all(year in stored and is_content(mark, stored[year]) for year, mark in marks.items())
