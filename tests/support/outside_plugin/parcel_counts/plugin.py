"""A plugin of another package: properties of a county, counted by type."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.flags import Flag
from terrafusion_lib.core.tables import Column, Kind, read_table
from terrafusion_lib.plugins.api import Action, Plugin, PluginContext, PluginResult, StepSpec

HERE = Path(__file__).parent
COUNTS = read_table(
    "parcel_counts",
    "One row per run and property type",
    "run_id county_id property_type",
    """
run_id         text     Run
county_id      text     County
property_type  text     Property type; unknown where the roll has none
properties     integer  Active properties
market_value   money    Sum of their market values
""",
)


class CountParams(FrozenModel):
    """What is counted."""

    minimum: Annotated[int, Flag("--at-least", "-m")] = Field(
        default=1, ge=1, description="Fewest properties of a type that is listed"
    )


class ParcelCountsPlugin(Plugin):
    """Counts properties by type."""

    name = "parcel_counts"
    title = "Count properties by type"
    permissions = ("parcel_counts:run",)
    Params = CountParams
    tables = (COUNTS,)
    job_columns = (Column("types", Kind.INTEGER, "Property types listed"),)
    migrations = HERE / "migrations"
    steps = (
        StepSpec("65_parcel_counts", "Count properties", ("40_load",), plugin="parcel_counts"),
    )
    actions = (
        Action(
            "types",
            "The property types of the county's newest counts",
            FrozenModel,
            lambda context, _: (
                context.results("parcel_counts", None)
                .select(["property_type", "properties"])
                .to_pylist()
            ),
            permissions=("parcel_counts:view",),
        ),
    )
    notebook = str(HERE / "65_parcel_counts.ipynb")

    def run(self, context: PluginContext, params: CountParams) -> PluginResult:
        """Count the active properties of each type."""
        import pyarrow as pa
        import pyarrow.compute as pc

        roll = context.read("properties_operational", ["property_type", "current_market_value"])
        types = pc.fill_null(roll["property_type"], "unknown")
        counted = (
            pa.table({"property_type": types, "value": roll["current_market_value"]})
            .group_by("property_type")
            .aggregate([([], "count_all"), ("value", "sum")])
            .sort_by("property_type")
        )
        counted = counted.filter(pc.greater_equal(counted["count_all"], params.minimum))
        table = pa.table(
            {
                "run_id": pa.repeat(context.run_id, counted.num_rows),
                "county_id": pa.repeat(context.county_id, counted.num_rows),
                "property_type": counted["property_type"],
                "properties": counted["count_all"],
                "market_value": counted["value_sum"],
            },
            schema=COUNTS.arrow_schema(),
        )
        total = pc.sum(table["properties"]).as_py() or 0
        return PluginResult(
            tables={COUNTS.name: table},
            summary={"types": table.num_rows, "properties": total},
            job_values={"types": table.num_rows},
        )

    def estimate(self, context: PluginContext, params: CountParams) -> dict[str, Any]:
        """Properties that will be counted."""
        del params
        return {"properties": context.read("properties_operational", ["property_id"]).num_rows}


plugin = ParcelCountsPlugin()
