"""A plugin's results on their way to the analytics database, from where they are made."""

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
    """Bring a plugin's result tables to the analytics database, as far as it declares facts.

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
    names = [fact.name for fact in declared_plugins()[plugin].facts if fact.source in tables]
    if not names:
        return {}
    with open_store(step.settings.operational_database_url) as store:
        places = {PROPERTIES: read_table(step, store, PROPERTIES)}
    return bring(step, dict(tables) | places, names)
