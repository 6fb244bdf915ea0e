"""Specialize: parcels with their shapes to the geometry store, facts to the analytics database.

The step runs after the load and writes the contents of the operational database. Valuations and
the ratio study are produced later and written by `specialize_results`.
"""

from contextlib import closing
from dataclasses import asdict
from typing import Any

from terrafusion_lib.analytics.facts import CANONICAL_FACTS
from terrafusion_lib.core.files import write_json
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.pipelines.bring_facts import PROPERTIES, bring, marks_of, read_table
from terrafusion_lib.pipelines.specialize_facts import FactLoad
from terrafusion_lib.pipelines.specialize_parcels import bring_parcels, link_report
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import StepRecord
from terrafusion_lib.store.store import open_store

PARCELS = "parcels_geometry"


def specialize(step: Step) -> StepRecord:
    """Write the county's parcels and facts; skips what has not changed.

    The product contains ``links.json``, lists of features and properties with no link or several,
    and the shapes set aside with reasons.

    Raises
    ------
    LoadError
        A store reports an error, or its totals differ from the operational database; the old state
        remains.
    """
    sources = {PARCELS, PROPERTIES, *(fact.source for fact in CANONICAL_FACTS.values())}
    with open_store(step.settings.operational_database_url) as store:
        tables = {name: read_table(step, store, name) for name in sorted(sources)}
    links = link_report(tables, step.out)
    write_json(step.out / "links.json", asdict(links))
    with closing(open_geometry(step.settings)) as geometry:
        parcels = bring_parcels(tables, geometry, step.county, step.out)
    loads = bring(step, tables, list(CANONICAL_FACTS))
    rows: dict[str, dict[str, Any]] = {"parcels": parcels}
    rows |= {name: _counts(load) for name, load in loads.items()}
    return step.finish(rows, {"links": asdict(links)}, marks_of(loads))


def _counts(load: FactLoad) -> dict[str, Any]:
    counts = asdict(load)
    counts.pop("marks")
    return counts
