"""Stored results of a promoted run, for dashboards and notebooks."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import VIEW_DASHBOARDS
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.results.reader import promoted_results
from terrafusion_lib.store.store import open_store

PROPERTY_COLUMNS = (
    "property_id",
    "parcel_number",
    "situs_address",
    "property_type",
    "neighborhood_code",
    "current_market_value",
)


VALUE_COLUMNS = ("property_id", "estimated_value", "confidence_score", "valuation_method")


@dataclass(frozen=True)
class RunView:
    """A run's summary, ratio study, and one row per mapped parcel with its value."""

    summary: dict[str, Any]
    ratios: list[dict[str, Any]]
    parcels: pa.Table

    def choices(self, column: str) -> list[str]:
        """Values of a text column of the parcels, sorted."""
        return sorted({value for value in self.parcels[column].to_pylist() if value})


def load_run(settings: Settings, county_id: str, run_id: str | None = None) -> RunView:
    """The county's promoted run, or one run by id.

    Raises
    ------
    AccessDeniedError
        The user may not see the county's dashboards.
    RunError
        The county has no such run yet.
    """
    require(settings, county_id, VIEW_DASHBOARDS)
    summary, results = promoted_results(settings, county_id, run_id)
    values = results.table("valuations", VALUE_COLUMNS)
    with open_store(settings.operational_database_url) as store:
        roll = store.read("properties_operational", county_id=county_id, columns=PROPERTY_COLUMNS)
        shapes = store.read(
            "parcels_geometry", county_id=county_id, columns=("property_id", "geometry")
        )
    ratios = results.rows("ratio_statistics")
    return RunView(summary, ratios, _parcels(shapes, roll, values))


def _parcels(shapes: pa.Table, roll: pa.Table, values: pa.Table) -> pa.Table:
    """Linked shapes with their property's data, in property order."""
    with duckdb.connect() as database:
        for name, table in (("shapes", shapes), ("roll", roll), ("valued", values)):
            database.register(name, table)
        return database.sql(
            """
            SELECT roll.*, valued.* EXCLUDE (property_id),
                   estimated_value / current_market_value - 1 AS change, shapes.geometry
            FROM shapes JOIN roll USING (property_id) LEFT JOIN valued USING (property_id)
            ORDER BY property_id
            """
        ).to_arrow_table()
