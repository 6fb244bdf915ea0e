"""A promoted run of two parcels, stored as the pipeline stores one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from terrafusion_lib.core.declared import result_table
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.store.store import open_store
from tests.support.users_project import add_county

COUNTY, RUN, VALUED_BY = "demo_wa", "20260101-quiet-larch", "20251231-calm-ridge"
SUMMARY: dict[str, Any] = {
    "run_id": RUN,
    "county_id": COUNTY,
    "county_name": "Demo <County>",
    "assessment_year": 2026,
    "started_at": "2026-01-01T08:00:00+00:00",
    "finished_at": "2026-01-01T08:01:00+00:00",
    "username": "ann",
    "status": "COMPLETED",
    "source_as_of": "2025-12-31",
    "results_run_id": VALUED_BY,
    "tables": [
        {"table": "sales", "read": 1200, "filtered": 100, "quarantined": 3, "loaded": 1097},
        {"table": "permits", "read": 5, "filtered": 5, "quarantined": 0, "loaded": None},
    ],
    "expectations": {"rules": 172, "passed": 150, "failed_warnings": 20, "failed_errors": 2},
    "steps": [{"step": "10_connect", "status": "reused", "reason": "unchanged", "seconds": 0.0}],
}


def statistic(name: str, estimate: float | None, **fields: Any) -> dict[str, Any]:
    """One row of RATIO_STATISTICS: the assessor's values over all sales unless told otherwise."""
    row = dict.fromkeys(result_table("ratio_statistics").column_names)
    row |= {"run_id": VALUED_BY, "county_id": COUNTY, "study": "assessed", "grouping": "overall"}
    row |= {"stratum": "all", "n": 40, "statistic": name, "estimate": estimate}
    return row | {"confidence_level": 0.95} | fields


RATIOS = [
    statistic(
        "median_ratio",
        0.961,
        ci_low=0.948,
        ci_high=0.98,
        limit_low=0.9,
        limit_high=1.1,
        verdict="met",
    ),
    statistic("prd", 1.08, verdict="not met"),
    statistic(
        "median_ratio", 0.97, grouping="property_type", stratum="residential", verdict="too few"
    ),
]
PARCELS = {
    "1": {"property_type": "residential", "neighborhood_code": "N1", "current_market_value": 2e5},
    "2": {"property_type": "commercial", "neighborhood_code": "N2", "current_market_value": 4e5},
}


def _canonical(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    schema = TABLES[name].arrow_schema()
    complete = [dict.fromkeys(schema.names) | {"county_id": COUNTY} | row for row in rows]
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(complete, schema=schema), path)
    return path


def _tables(folder: Path) -> dict[str, Path]:
    roll = [
        {"property_id": key, "parcel_number": f"P{key}", "assessment_year": 2026} | fields
        for key, fields in PARCELS.items()
    ]
    shapes = [
        {
            "geometry_id": f"g{key}",
            "property_id": key,
            "geometry": shapely.box(k, 46, k + 1, 47).wkb,
        }
        for k, key in enumerate((*PARCELS, None))
    ]
    return {
        "properties_operational": _canonical(folder, "properties_operational", roll),
        "parcels_geometry": _canonical(folder, "parcels_geometry", shapes),
    }


def _results(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = result_table(name).arrow_schema()
    complete = [dict.fromkeys(schema.names) | row for row in rows]
    return pa.Table.from_pylist(complete, schema=schema)


def store_run(root: Path) -> Settings:
    """Settings of a project whose county demo_wa has one promoted run, and king_wa none."""
    for county in (COUNTY, "king_wa"):
        add_county(root, county, {"username": "ann", "roles": ["supervisor"]})
    settings = Settings(root=root, data_dir=root / "data", operational_url="", user="ann")
    run = settings.county_data(COUNTY) / "runs" / RUN
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(SUMMARY))
    (settings.county_data(COUNTY) / "CURRENT").write_text(RUN + "\n")
    value = {"run_id": VALUED_BY, "county_id": COUNTY, "property_id": "1"}
    value |= {"assessment_year": 2026, "estimated_value": 250_000.0, "confidence_score": 0.9}
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        store.load(
            COUNTY,
            _tables(root),
            run_id=RUN,
            fingerprint="f",
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )
        keys = {"county_id": COUNTY, "run_id": VALUED_BY}
        rows = {"valuations": [value], "ratio_statistics": RATIOS}
        store.save_results({name: _results(name, held) for name, held in rows.items()}, **keys)
    return settings
