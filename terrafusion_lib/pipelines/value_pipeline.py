"""The value step: the valuation runs on the operational store, its results keep the run id."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.versions import engine_versions
from terrafusion_lib.pipelines.bring_facts import marks_of
from terrafusion_lib.pipelines.plugin_settings import plugin_params
from terrafusion_lib.pipelines.specialize_results import specialize_results
from terrafusion_lib.pipelines.step import Step, StepRecord
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.store.store import Store, open_store


def value(step: Step) -> StepRecord:
    """Value every property and store values, comparables and the ratio study under the run id.

    Raises
    ------
    ValuationError
        The county's data do not allow any valuation.
    """
    plugin = load_plugin("valuation")
    params = plugin_params(step.county, plugin.name)
    county_id = step.county.county_id
    with (
        open_store(step.settings.operational_database_url) as store,
        store.job(
            plugin.name,
            county_id=county_id,
            username=step.settings.user,
            parameters=params.model_dump(mode="json"),
            versions=engine_versions(),
            clock=step.clock,
            valuation_date=date(step.year, 1, 1),
        ) as job,
    ):
        result = plugin.run(_context(step, store), params)
        for name, table in result.tables.items():
            store.save_results(name, table, county_id=county_id, run_id=step.run_id)
        job |= {"result_location": str(step.folder), "input_fingerprint": step.fingerprint}
    for name, table in result.tables.items():
        pq.write_table(table, step.out / f"{name}.parquet", compression="zstd")
    for name, write in result.files.items():
        write(step.out / name)
    rows = {name: {"rows": table.num_rows} for name, table in result.tables.items()}
    loads = specialize_results(step, result.tables)
    return step.finish(rows, result.summary, marks_of(loads))


def _context(step: Step, store: Store) -> PluginContext:
    def read(table: str, columns: Sequence[str] | None = None) -> pa.Table:
        return store.read(table, county_id=step.county.county_id, columns=columns)

    return PluginContext(
        county_id=step.county.county_id,
        assessment_year=step.year,
        valuation_date=date(step.year, 1, 1),
        run_id=step.run_id,
        seed=step.seed,
        progress=step.progress,
        threads=step.settings.threads,
        read=read,
    )
