"""Writes a plugin's results to the analytics database."""

from collections.abc import Mapping

import pyarrow as pa

from terrafusion_lib.core.declared import declared_plugins
from terrafusion_lib.pipelines.bring_facts import PROPERTIES, bring, read_table
from terrafusion_lib.pipelines.specialize_facts import FactLoad
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.store.store import open_store


def specialize_results(
    step: Step, plugin: str, tables: Mapping[str, pa.Table]
) -> dict[str, FactLoad]:
    """Write a plugin's result tables to the analytics database, if it declares facts for them.

    Rows of the step's assessment year are replaced; earlier years stay.

    Returns
    -------
    dict
        Result by fact table; its `marks_of` belongs in the step's record.

    Raises
    ------
    LoadError
        The database reports an error; its old rows remain.
    """
    names = [fact.name for fact in declared_plugins()[plugin].facts if fact.source in tables]
    if not names:
        return {}
    with open_store(step.settings.operational_database_url) as store:
        places = {PROPERTIES: read_table(step, store, PROPERTIES)}
    return bring(step, dict(tables) | places, names)
