"""The summary of a run (``run.json``): what was read, kept and valued, in one document."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.declared import result_step
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.plan import Plan
from terrafusion_lib.results.products import (
    CONNECT,
    LOAD,
    MAP,
    VALIDATE,
    StepRecord,
    product_folder,
    read_record,
)


def run_records(plan: Plan, settings: Settings) -> dict[str, StepRecord]:
    """The record of every planned step that has finished."""
    records = {
        name: read_record(product_folder(settings, plan.county_id, name, step.fingerprint))
        for name, step in plan.steps.items()
    }
    return {name: record for name, record in records.items() if record}


def table_rows(records: dict[str, StepRecord]) -> list[dict[str, Any]]:
    """Rows by canonical table: read = filtered + quarantined + loaded, always."""
    validated = records[VALIDATE].rows if VALIDATE in records else {}
    loaded = records[LOAD].rows if LOAD in records else {}
    return [
        {
            "table": name,
            "read": counts["read"],
            "filtered": counts["filtered"],
            "quarantined": counts["quarantined"],
            "loaded": loaded[name]["read"] if name in loaded else None,
        }
        for name, counts in validated.items()
    ]


def file_rows(records: dict[str, StepRecord]) -> list[dict[str, Any]]:
    """Lines, records and rows by source table that comes from files, with what was left out.

    lines = other_lines + records, and records = left_out + rows, always.
    """
    read = records[CONNECT].rows if CONNECT in records else {}
    return [
        {
            "table": name,
            "lines": counts["lines"],
            "records": counts["records"],
            "rows": counts["read"],
            "reasons": counts["not_records"] | counts["left_out"],
        }
        for name, counts in read.items()
        if "records" in counts
    ]


def summarize(
    plan: Plan,
    county: CountyConfig,
    settings: Settings,
    *,
    run_id: str,
    started_at: datetime,
    finished_at: datetime,
    status: str,
) -> dict[str, Any]:
    """The run as plain data; the dashboard and ``terrafusion runs show`` read it."""
    records = run_records(plan, settings)
    values = result_step("valuation")

    def summary(name: str) -> dict[str, Any]:
        return dict(records[name].summary) if name in records else {}

    expectations = summary(VALIDATE)

    return {
        "run_id": run_id,
        "county_id": county.county_id,
        "county_name": county.name,
        "assessment_year": plan.assessment_year,
        "started_at": started_at.isoformat(timespec="seconds"),
        "finished_at": finished_at.isoformat(timespec="seconds"),
        "username": settings.user,
        "status": status,
        "source_as_of": summary(CONNECT).get("source_as_of"),
        "results_run_id": records[values].run_id if values in records else None,
        "files": file_rows(records),
        "tables": table_rows(records),
        "filtered_reasons": {
            name: counts["filtered"]
            for name, counts in (records[MAP].rows if MAP in records else {}).items()
        },
        "changed_rules": expectations.pop("changed_rules", []),
        "expectations": expectations,
        "valuation": summary(values),
        "steps": [_step_row(name, plan, records, run_id) for name in plan.steps],
        "products": {
            name: str(product_folder(settings, plan.county_id, name, plan.steps[name].fingerprint))
            for name in records
        },
    }


def _step_row(name: str, plan: Plan, records: dict[str, StepRecord], run_id: str) -> dict[str, Any]:
    step, record = plan.steps[name], records.get(name)
    finished = record is not None and (step.action == "reuse" or record.run_id == run_id)
    row = asdict(step) | {
        "step": name,
        "status": ("reused" if step.action == "reuse" else "completed")
        if finished
        else "not finished",
        "seconds": record.seconds if record and record.run_id == run_id else 0.0,
        "rows": record.rows if record and finished else {},
        "outputs": record.outputs if record and finished else {},
    }
    return {key: value for key, value in row.items() if key not in ("name", "parts")}
