"""Specialize: parcels with their shapes to the geometry store, facts to the analytics database.

The step runs after the load and brings what the operational store holds. Valuations and the ratio
study come into being two steps later: `specialize_results` brings those.
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
    """Bring the county's parcels and facts; what has not changed is not written.

    The product holds ``links.json`` and lists of features and properties without a link or with
    more than one, and the shapes that were set aside with their reasons.

    Raises
    ------
    LoadError
        A store refuses, or its totals differ from the operational store's; the old state stands.
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
