"""Valuation and its report: the plugins run on the operational store, results keep the run id."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.etl_to_specialized_dbs import marks_of, specialise_results
from terrafusion_lib.pipelines.fingerprints import engine_versions
from terrafusion_lib.pipelines.plugin_settings import plugin_params
from terrafusion_lib.pipelines.step import Step, StepRecord
from terrafusion_lib.pipelines.steps import VALUE
from terrafusion_lib.plugins.base import PluginContext
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.store.store import Store, open_store

VALUATIONS = "valuations"
PUBLISHED = ("ratio_statistics", VALUATIONS)
KNOWN_BY = (
    "parcel_number",
    "situs_address",
    "property_type",
    "neighborhood_code",
    "current_market_value",
)
"""Columns of the roll that stand beside a property's value in a spreadsheet."""


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
    loads = specialise_results(step, result.tables)
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


def report(step: Step) -> StepRecord:
    """Publish the values and the ratio study as CSV files that a spreadsheet opens.

    The values come with what a person knows a property by, and with the change from the assessor's.

    Raises
    ------
    RunError
        The valuation left no table to publish.
    """
    source = step.input_folder(VALUE)
    rows = {}
    for name in PUBLISHED:
        path = source / f"{name}.parquet"
        if not path.is_file():
            raise RunError(f"{path} is absent", county=step.county.county_id, step=step.name)
        table = pq.read_table(path)
        if name == VALUATIONS:
            table = _beside_the_roll(table, step)
        pa_csv.write_csv(table, step.out / f"{name}.csv")
        rows[name] = {"rows": table.num_rows}
    return step.finish(rows, step.input_record(VALUE).summary)


def _beside_the_roll(values: pa.Table, step: Step) -> pa.Table:
    """Values behind what the roll says of each property, and their change in percent."""
    with open_store(step.settings.operational_database_url) as store:
        roll = store.read(
            "properties_operational",
            county_id=step.county.county_id,
            columns=("property_id", *KNOWN_BY),
        )
    joined = values.join(roll, "property_id").sort_by("property_id")
    current = joined["current_market_value"]
    known = pc.if_else(pc.greater(current, 0), current, None)
    change = pc.subtract(pc.divide(joined["estimated_value"], known), 1)
    joined = joined.append_column("change_pct", pc.round(pc.multiply(change, 100), 2))
    first = ["property_id", *KNOWN_BY, "estimated_value", "change_pct"]
    return joined.select([*first, *(name for name in values.column_names if name not in first)])
