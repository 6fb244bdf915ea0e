"""Specialise: parcels with their shapes to the geometry store, facts to the analytics database.

The step runs after the load and brings what the operational store holds. Valuations and the ratio
study come into being two steps later, so `specialise_results` brings those, from where they are
made.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.analytics_connector import AnalyticsStore, open_analytics
from terrafusion_lib.connectors.analytics_facts import FACTS, OF_LOAD, OF_VALUES, FactTable
from terrafusion_lib.connectors.analytics_totals import is_content, stored_totals
from terrafusion_lib.connectors.postgis_connector import open_geometry
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.specialise_facts import CountyFacts, FactLoad, bring_facts
from terrafusion_lib.pipelines.specialise_parcels import bring_parcels, link_report
from terrafusion_lib.pipelines.step import Step, StepRecord
from terrafusion_lib.store.store import Store, open_store

PARCELS = "parcels_geometry"
PROPERTIES = "properties_operational"
LEFT_OUT = {"extended_attributes", "owner_name", "owner_is_confidential", "legal_description"}


def specialise(step: Step) -> StepRecord:
    """Bring the county's parcels and facts; what has not changed is not written.

    The product holds ``links.json`` and lists of features and properties without a link or with
    more than one, and the shapes that were set aside with their reasons.

    Raises
    ------
    LoadError
        A store refuses, or its totals differ from the operational store's; the old state stands.
    """
    sources = {PARCELS, PROPERTIES, *(FACTS[name].source for name in OF_LOAD)}
    with open_store(step.settings.operational_database_url) as store:
        tables = {name: _read(step, store, name) for name in sorted(sources)}
    links = link_report(tables, step.out)
    write_json(step.out / "links.json", asdict(links))
    with closing(open_geometry(step.settings)) as geometry:
        parcels = bring_parcels(tables, geometry, step.county, step.out)
    loads = _bring(step, tables, OF_LOAD)
    rows: dict[str, dict[str, Any]] = {"parcels": parcels}
    rows |= {name: _counts(load) for name, load in loads.items()}
    return step.finish(rows, {"links": asdict(links)}, marks_of(loads))


def specialise_results(step: Step, tables: Mapping[str, pa.Table]) -> dict[str, FactLoad]:
    """Bring a valuation's result tables (`core.result_tables`) to the analytics database.

    The rows of the step's assessment year are replaced; those of earlier years stay.

    Returns
    -------
    dict
        What was done, by fact table; `marks_of` it belongs into the step's record.

    Raises
    ------
    LoadError
        The database refuses; its old rows stand.
    """
    with open_store(step.settings.operational_database_url) as store:
        places = {PROPERTIES: _read(step, store, PROPERTIES)}
    names = [name for name in OF_VALUES if FACTS[name].source in tables]
    return _bring(step, dict(tables) | places, names)


def marks_of(loads: Mapping[str, FactLoad]) -> dict[str, dict[str, str]]:
    """Content mark of each fact table and year; by them `specialised_reason` knows the rows."""
    return {
        name: {str(year): mark for year, mark in load.marks.items()} for name, load in loads.items()
    }


def specialised_reason(settings: Settings, record: StepRecord) -> str | None:
    """Why the stores need the step again; None when they hold its product."""
    county = record.county_id
    if "parcels" in record.rows:
        with closing(open_geometry(settings)) as geometry:
            published = geometry.row_count(county) or 0
            if published != record.rows["parcels"]["published"]:
                return "the geometry store holds another parcel layer"
            if published and not geometry.is_intact(county):
                return "the parcel layer in the geometry store has been changed"
    with closing(open_analytics(settings)) as analytics:
        for name, marks in record.marks.items():
            wanted = {int(year): mark for year, mark in marks.items()}
            if not _holds(analytics, FACTS[name], county, wanted):
                return f"the analytics database holds other rows of {name}"
    return None


def _holds(
    analytics: AnalyticsStore, fact: FactTable, county_id: str, marks: Mapping[int, str]
) -> bool:
    """Whether the years have these content marks, and rows that fit them."""
    found = analytics.contents(fact, county_id)
    if any(found.get(year) != mark for year, mark in marks.items()):
        return False
    stored = stored_totals(analytics, fact, county_id, list(marks))
    return all(year in stored and is_content(mark, stored[year]) for year, mark in marks.items())


def _bring(step: Step, tables: Mapping[str, pa.Table], names: Sequence[str]) -> dict[str, FactLoad]:
    county_id = step.county.county_id
    with (
        CountyFacts(county_id, step.year, tables, names, step.settings) as facts,
        closing(open_analytics(step.settings)) as analytics,
    ):
        return bring_facts(facts, analytics, names, county_id=county_id, progress=step.progress)


def _read(step: Step, store: Store, name: str) -> pa.Table:
    columns = [column for column in TABLES[name].column_names if column not in LEFT_OUT]
    return store.read(name, county_id=step.county.county_id, columns=columns)


def _counts(load: FactLoad) -> dict[str, Any]:
    counts = asdict(load)
    counts.pop("marks")
    return counts
