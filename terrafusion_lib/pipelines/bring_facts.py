"""Shared code of the steps that write facts to the analytics database."""

from collections.abc import Mapping, Sequence
from contextlib import closing

import pyarrow as pa

from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.locks import exclusive
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.pipelines.specialize_facts import CountyFacts, FactLoad, bring_facts
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.store.store import Store

PROPERTIES = "properties_operational"
PATIENCE = 900.0
"""Seconds that a step waits while another writes its facts."""
LEFT_OUT = {"extended_attributes", "owner_name", "owner_is_confidential", "legal_description"}


def read_table(step: Step, store: Store, name: str) -> pa.Table:
    """Active rows of a canonical table, without the excluded columns."""
    columns = [column for column in TABLES[name].column_names if column not in LEFT_OUT]
    return store.read(name, county_id=step.county.county_id, columns=columns)


def bring(step: Step, tables: Mapping[str, pa.Table], names: Sequence[str]) -> dict[str, FactLoad]:
    """Write the facts `names`, built from `tables`, to the analytics database.

    One step at a time: steps that run in parallel wait for each other.

    Raises
    ------
    LoadError
        Another process has been writing for a quarter of an hour, or the database reports an error.
    """
    county_id = step.county.county_id

    def refusal() -> LoadError:
        return LoadError(
            "Another process keeps writing the analytics database",
            county=county_id,
            step=step.name,
            hint=f"when it has finished: terrafusion run {county_id} --resume",
        )

    with (
        exclusive(step.settings.data_path / "analytics.lock", refusal, patience=PATIENCE),
        CountyFacts(county_id, step.year, tables, names, step.settings) as facts,
        closing(open_analytics(step.settings)) as analytics,
    ):
        return bring_facts(facts, analytics, names, county_id=county_id, progress=step.progress)


def marks_of(loads: Mapping[str, FactLoad]) -> dict[str, dict[str, str]]:
    """Content hash of each fact table and year; `specialized_reason` compares the rows with it."""
    return {
        name: {str(year): mark for year, mark in load.marks.items()} for name, load in loads.items()
    }
