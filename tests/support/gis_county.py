"""A county of twelve by ten parcels on a grid, with every result, for tests of exports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from terrafusion_lib.core.declared import result_table
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.execute import FinishedJob, run_job
from terrafusion_lib.jobs.request import estimate
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.store.store import open_store

COUNTY, RUN = "grid_wa", "20260101-run"
COLUMNS, ROWS = 12, 10
WEST, SOUTH, STEP = -119.3, 46.2, 0.001
COUNT = COLUMNS * ROWS
NOW = datetime(2026, 3, 1, tzinfo=UTC)
YAML = f"""
county_id: {COUNTY}
name: Grid County
state: WA
crs: EPSG:2927
assessment_year: 2026
mapping: mapping.yaml
users: users.json
sources: {{}}
"""
ROLES = {"ann": "analyst", "ada": "assessor", "sue": "supervisor"}
"""Users of the county; ann is the settings' user."""

Row = dict[str, Any]


def parcel(column: int, row: int) -> shapely.Polygon:
    """A square with a corner in the middle of each side, bent by a tenth."""
    x, y = WEST + column * STEP, SOUTH + row * STEP
    bend = STEP / 10
    corners = [
        (x, y),
        (x + STEP / 2, y + bend),
        (x + STEP, y),
        (x + STEP + bend, y + STEP / 2),
        (x + STEP, y + STEP),
        (x + STEP / 2, y + STEP + bend),
        (x, y + STEP),
        (x + bend, y + STEP / 2),
    ]
    return shapely.Polygon([(round(a, 7), round(b, 7)) for a, b in corners])


def property_row(number: int) -> Row:
    """The roll's row of one parcel; the last one has hardly anything."""
    column, row = number % COLUMNS, number // COLUMNS
    base = {
        "property_id": str(1000 + number),
        "parcel_number": f"1-{number:04d}-000",
        "neighborhood_code": "NORTH" if row >= ROWS // 2 else "SOUTH",
        "tax_area": "K1" if column < 3 else "R2",
        "latitude": SOUTH + (row + 0.5) * STEP,
        "longitude": WEST + (column + 0.5) * STEP,
        "data_source": "pacs_oltp@2026/0",
        "source_year": 2026,
    }
    if number == COUNT - 1:
        return base
    return base | {
        "situs_address": f"{number} Señor Peña Ln",
        "situs_city": "Kennewick" if column < 6 else "Richland",
        "situs_zip": "09933",
        "property_type": "residential",
        "year_built": 1950 + number % 70,
        "bathrooms": 1.5,
        "is_waterfront": number % 7 == 0,
        "current_market_value": 200_000.0 + 1_000 * number,
        "prior_market_value": 200_000.0 if number else 0.0,
        "assessed_value": 190_000.25 + number,
        "assessment_year": 2026,
        "last_sale_date": date(2024, 5, 1 + number % 28),
        "owner_name": f"OWNER {number}",
        "exemption_type": "SNR/DSBL" if number == 5 else None,
        "legal_description": ("LOT é " * 60) if number == 3 else "LOT 1",
    }


def shapes() -> list[Row]:
    """A shape per property but the second; one of two parts; one linked to nothing."""
    rows = []
    for number in range(COUNT):
        if number == 1:
            continue
        shape: Any = parcel(number % COLUMNS, number // COLUMNS)
        if number == 2:
            apart = shapely.affinity.translate(parcel(2, 0), 0, -1.5 * STEP)
            shape = shapely.MultiPolygon([shape, apart])
        rows.append(
            {"geometry_id": f"g{number:05d}", "property_id": str(1000 + number), "geometry": shape}
        )
    rows.append({"geometry_id": "unlinked", "property_id": None, "geometry": parcel(20, 20)})
    return [row | {"geometry": row["geometry"].wkb} for row in rows]


def sales() -> list[Row]:
    """A sale of every tenth property, and one of a property that is not on the roll."""
    return [
        {
            "sale_id": f"S{number}",
            "property_id": str(1000 + number),
            "sale_date": date(2025, 6, 1),
            "sale_price": 300_000.0 + number,
            "dor_valid": number % 20 == 0 or None,
        }
        for number in range(0, COUNT, 10)
    ] + [{"sale_id": "S999", "property_id": "9", "sale_price": 1.0}]


def results() -> dict[str, list[Row]]:
    """Values of all but the last property, comparables of one, ratios and statistics."""
    return {
        "valuations": [
            {"property_id": str(1000 + n), "estimated_value": 210_000.0, "confidence_score": 0.8}
            for n in range(COUNT - 1)
        ],
        "valuation_comparables": [
            {
                "property_id": "1000",
                "rank": rank,
                "sale_id": f"S{10 * rank}",
                "comparable_property_id": str(1000 + 10 * rank),
                "similarity": 1 - rank / 10,
            }
            for rank in (1, 2, 3)
        ],
        "sale_ratios": [
            {"study": "appraised", "sale_id": f"S{n}", "property_id": str(1000 + n), "ratio": ratio}
            for n, ratio in ((0, 0.9), (10, 1.0), (20, 1.2))
        ],
        "ratio_statistics": [
            {
                "study": study,
                "grouping": "neighborhood_code",
                "stratum": "SOUTH",
                "statistic": statistic,
                "n": 9,
                "estimate": estimate,
                "verdict": "met",
            }
            for study, statistic, estimate in (
                ("appraised", "median_ratio", 0.97),
                ("appraised", "cod", 8.5),
                ("model_holdout", "median_ratio", 1.5),
            )
        ],
    }


def typed(name: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as a canonical or result table, in the order of its key."""
    spec = TABLES.get(name) or result_table(name)
    keys = {"county_id": COUNTY, "run_id": RUN}
    complete = [
        {column: row.get(column, keys.get(column)) for column in spec.column_names} for row in rows
    ]
    complete.sort(key=lambda row: tuple(row[key] for key in spec.key))
    return pa.Table.from_pylist(complete, schema=spec.arrow_schema())


@dataclass(frozen=True)
class GridCounty:
    """The county's tables; change one with `having`."""

    tables: dict[str, pa.Table] = field(
        default_factory=lambda: {
            "properties_operational": typed(
                "properties_operational", [property_row(number) for number in range(COUNT)]
            ),
            "parcels_geometry": typed("parcels_geometry", shapes()),
            "sales": typed("sales", sales()),
        }
    )
    results: dict[str, pa.Table] | None = field(
        default_factory=lambda: {name: typed(name, rows) for name, rows in results().items()}
    )

    def having(self, name: str, rows: Sequence[Row]) -> "GridCounty":
        """The county with other rows in one canonical table."""
        return replace(self, tables=self.tables | {name: typed(name, rows)})

    def context(self, **changes: Any) -> PluginContext:
        """A context that reads these tables."""

        def reader(tables: dict[str, pa.Table]) -> Any:
            return lambda name, columns=None: tables[name].select(
                columns or tables[name].schema.names
            )

        context = PluginContext(
            county_id=COUNTY,
            assessment_year=2026,
            valuation_date=date(2026, 1, 1),
            run_id="export-1",
            crs="EPSG:2927",
            read=reader(self.tables),
            results=None if self.results is None else reader(self.results),
        )
        return replace(context, **changes)


def store_county(root: Path, county: GridCounty | None = None) -> Settings:
    """A project whose operational database holds the county and the results of a promoted run."""
    county = county or GridCounty()
    configuration = root / "county_configs" / COUNTY
    configuration.mkdir(parents=True)
    (configuration / "county.yaml").write_text(YAML)
    users = [{"username": name, "roles": [role]} for name, role in ROLES.items()]
    (configuration / "users.json").write_text(json.dumps({"county_id": COUNTY, "users": users}))
    settings = Settings(root=root, data_dir=root / "data", operational_url="", user="ann")
    paths = {}
    for name, table in county.tables.items():
        paths[name] = root / f"{name}.parquet"
        pq.write_table(table, paths[name])
    run = settings.county_data(COUNTY) / "runs" / RUN
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"results_run_id": RUN}))
    (settings.county_data(COUNTY) / "CURRENT").write_text(f"{RUN}\n")
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        store.load(COUNTY, paths, run_id=RUN, fingerprint="load-1", clock=lambda: NOW)
        store.save_results(county.results or {}, county_id=COUNTY, run_id=RUN)
    return settings


def jobs_of(settings: Settings) -> list[Row]:
    """The county's jobs in the order of their making, with the columns of exports."""
    with (
        open_store(settings.operational_database_url) as store,
        store.reading("read jobs") as connection,
    ):
        return records.listed(connection, county_id=COUNTY)[::-1]


def export_gis(county_id: str, options: Row | None = None, **more: Any) -> FinishedJob:
    """An export as a job, by the way that production takes."""
    return run_job("gis_export", county_id, options, **more)


def estimate_gis_export(county_id: str, options: Row | None = None, **more: Any) -> Row:
    """How large an export would be."""
    return estimate("gis_export", county_id, options, **more)


def areas(geometry: Any, crs: str = "EPSG:2927") -> np.ndarray:
    """Areas of a GeoSeries in the county's system."""
    return np.asarray(geometry.to_crs(crs).area)
