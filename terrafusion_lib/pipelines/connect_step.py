"""The connect step: the source is read into the raw layer."""

import json
from typing import Any

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.raw import POINTER, RawTable
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import StepRecord


def years_read(county: CountyConfig, year: int) -> list[int]:
    """Assessment years to read: the year and those before it, oldest first."""
    return list(range(year - county.history_years + 1, year + 1))


def connect(step: Step) -> StepRecord:
    """Read the source into the raw layer.

    Raises
    ------
    ConnectError
        The source cannot be reached or lacks a table or column; no partial extract is used.
    """
    folder, manifest = extract(
        step.county,
        load_mapping(step.county.mapping).source_tables(),
        years_read(step.county, step.year),
        settings=step.settings,
        clock=step.clock,
        progress=step.progress,
        reuse=step.reuse_raw,
    )
    pointer = {"extract_id": manifest.extract_id, "folder": str(folder)}
    (step.out / POINTER).write_text(json.dumps(pointer), encoding="utf-8")
    rows = {name: table_counts(table) for name, table in manifest.tables.items()}
    return step.finish(
        rows,
        {
            "extract_id": manifest.extract_id,
            "source_as_of": manifest.extracted_at.isoformat(timespec="seconds"),
        },
    )


def table_counts(table: RawTable) -> dict[str, Any]:
    """Rows that were read; of files also the lines and records they come from."""
    return {"read": table.rows} | (table.account.model_dump() if table.account else {})
