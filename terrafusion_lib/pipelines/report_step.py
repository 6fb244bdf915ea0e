"""The report step: values and the ratio study as files for a spreadsheet."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from terrafusion_lib.core.declared import result_step
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.pipelines.workbook import write_workbook
from terrafusion_lib.results.products import StepRecord
from terrafusion_lib.store.store import open_store

VALUATIONS = "valuations"
PUBLISHED = ("ratio_statistics", VALUATIONS)
KNOWN_BY = (
    "parcel_number",
    "situs_address",
    "property_type",
    "neighborhood_code",
    "current_market_value",
)
"""Columns of the roll shown next to a property's value in the spreadsheet."""


def report(step: Step) -> StepRecord:
    """Publish the values and the ratio study as workbooks for Excel, and as CSV for programs.

    Excel reads a CSV's ids as numbers and dates (``00000E10``, ``3-1``) and texts that begin with
    ``=`` as formulas; in the workbooks every cell has its type.

    The values come with what a person knows a property by, and with the change from the assessor's.

    Raises
    ------
    RunError
        The valuation produced no table to publish.
    """
    values = result_step("valuation")
    source = step.input_folder(values)
    rows = {}
    for name in PUBLISHED:
        path = source / f"{name}.parquet"
        if not path.is_file():
            raise RunError(f"{path} is missing", county=step.county.county_id, step=step.name)
        table = pq.read_table(path)
        if name == VALUATIONS:
            table = _beside_the_roll(table, step)
        pa_csv.write_csv(table, step.out / f"{name}.csv")
        dated = date(step.year, 1, 1)
        cut = write_workbook(table, step.out / f"{name}.xlsx", name=name, made=dated)
        rows[name] = {"rows": table.num_rows} | ({"texts_cut": cut} if cut else {})
    return step.finish(rows, step.input_record(values).summary)


def _beside_the_roll(values: pa.Table, step: Step) -> pa.Table:
    """Values next to each property's columns from the roll, with the change in percent."""
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
