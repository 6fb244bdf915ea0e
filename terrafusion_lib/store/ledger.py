"""The run ledger: each run, its user, inputs, and the outcome of each step."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from terrafusion_lib.store.models import pipeline_runs, pipeline_steps

JSON_RUN = ("parameters", "versions")


def start_run(connection: sa.Connection, run_id: str, **fields: Any) -> None:
    """Insert a run as RUNNING, or restart a resumed one."""
    values = {
        f"{name}_json" if name in JSON_RUN else name: json.dumps(value)
        if name in JSON_RUN
        else value
        for name, value in fields.items()
    }
    values |= {"status": "RUNNING", "message": "", "finished_at": None}
    updated = connection.execute(
        pipeline_runs.update().where(pipeline_runs.c.run_id == run_id).values(values)
    )
    if not updated.rowcount:
        connection.execute(pipeline_runs.insert().values(run_id=run_id, **values))


def update_run(connection: sa.Connection, run_id: str, **values: Any) -> None:
    """Set columns of a run."""
    connection.execute(
        pipeline_runs.update().where(pipeline_runs.c.run_id == run_id).values(values)
    )


def record_step(connection: sa.Connection, run_id: str, **fields: Any) -> None:
    """Replace the record of one step of a run."""
    row = {
        "run_id": run_id,
        "step": fields["step"],
        "ordinal": fields["ordinal"],
        "status": fields["status"],
        "reason": fields["reason"],
        "fingerprint": fields["fingerprint"],
        "seconds": fields["seconds"],
        "rows_json": json.dumps(fields["rows"]),
        "outputs_json": json.dumps(fields["outputs"]),
    }
    same = (pipeline_steps.c.run_id == run_id) & (pipeline_steps.c.step == row["step"])
    connection.execute(pipeline_steps.delete().where(same))
    connection.execute(pipeline_steps.insert().values(row))


def close_stale_runs(connection: sa.Connection, county_id: str, now: datetime) -> int:
    """Close the county's RUNNING runs; they are stale, because the caller holds the lock."""
    stale = (pipeline_runs.c.county_id == county_id) & (pipeline_runs.c.status == "RUNNING")
    closed = connection.execute(
        pipeline_runs.update()
        .where(stale)
        .values(status="FAILED", finished_at=now, message="The run's process ended unexpectedly")
    )
    return int(closed.rowcount)


def list_runs(connection: sa.Connection, county_id: str | None) -> list[dict[str, Any]]:
    """Runs newest first, JSON columns as data."""
    query = sa.select(pipeline_runs).order_by(
        pipeline_runs.c.started_at.desc(), pipeline_runs.c.run_id.desc()
    )
    if county_id:
        query = query.where(pipeline_runs.c.county_id == county_id)
    rows = []
    for row in connection.execute(query).mappings():
        data = dict(row)
        for name in JSON_RUN:
            data[name] = json.loads(data.pop(f"{name}_json"))
        rows.append(data)
    return rows
