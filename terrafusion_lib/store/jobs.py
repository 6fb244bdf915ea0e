"""Jobs of plugins: one life cycle, joined tables for what each plugin holds."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.store.models import JOB_TABLES, jobs

NEXT_STATES = {
    "PENDING": ("RUNNING", "CANCELLED", "FAILED"),
    "RUNNING": ("COMPLETED", "FAILED", "CANCELLED"),
}
STALE_AFTER = timedelta(hours=24)


def create_job(
    connection: sa.Connection,
    plugin: str,
    *,
    county_id: str,
    username: str,
    parameters: dict[str, Any],
    versions: dict[str, str],
    now: datetime,
    job_id: str | None = None,
    **own: Any,
) -> str:
    """Insert a PENDING job of `plugin` with its `own` columns; returns the job id (UUID).

    `job_id` is for a caller who must know the id before; a new one is made when None.
    """
    if plugin not in JOB_TABLES:
        raise RunError(f"There are no jobs of {plugin}", examples=list(JOB_TABLES))
    job_id = job_id or str(uuid.uuid4())
    connection.execute(
        jobs.insert().values(
            job_id=job_id,
            plugin=plugin,
            county_id=county_id,
            status="PENDING",
            username=username,
            parameters_json=json.dumps(parameters),
            versions_json=json.dumps(versions),
            progress=0.0,
            created_at=now,
        )
    )
    connection.execute(JOB_TABLES[plugin].insert().values(job_id=job_id, **own))
    return job_id


def get_job(connection: sa.Connection, job_id: str) -> dict[str, Any]:
    """A job with the columns of its plugin.

    Raises
    ------
    RunError
        There is no such job.
    """
    base = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
    if base is None:
        raise RunError(f"There is no job {job_id}")
    own = JOB_TABLES[base["plugin"]]
    found = connection.execute(sa.select(own).where(own.c.job_id == job_id)).mappings().one()
    return dict(base) | dict(found)


def list_jobs(connection: sa.Connection, county_id: str) -> list[dict[str, Any]]:
    """Jobs of a county with the columns of their plugins, newest first."""
    query = sa.select(jobs).where(jobs.c.county_id == county_id).order_by(jobs.c.created_at.desc())
    listed = [dict(row) for row in connection.execute(query).mappings()]
    of_county = sa.select(jobs.c.job_id).where(jobs.c.county_id == county_id)
    own: dict[str, dict[str, Any]] = {}
    for plugin in sorted({job["plugin"] for job in listed}):
        table = JOB_TABLES[plugin]
        held = connection.execute(sa.select(table).where(table.c.job_id.in_(of_county)))
        own |= {row["job_id"]: dict(row) for row in held.mappings()}
    return [job | own.get(job["job_id"], {}) for job in listed]


def move_job(
    connection: sa.Connection, job_id: str, status: str, *, now: datetime, **values: Any
) -> None:
    """Move a job to the next state; columns of `jobs` and of its plugin may be set with it.

    Raises
    ------
    RunError
        The job does not exist or its state does not allow the move.
    """
    job = get_job(connection, job_id)
    if status not in NEXT_STATES.get(job["status"], ()):
        raise RunError(f"Job {job_id} is {job['status']} and cannot become {status}")
    moment = {"started_at": now} if status == "RUNNING" else {"finished_at": now}
    own = JOB_TABLES[job["plugin"]]
    mine = {name: value for name, value in values.items() if name in own.c}
    shared = {name: value for name, value in values.items() if name not in mine}
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job_id, jobs.c.status == job["status"])
        .values(status=status, heartbeat_at=now, **moment, **shared)
    )
    if not changed.rowcount:
        raise RunError(f"Job {job_id} was moved by somebody else at the same time")
    if mine:
        connection.execute(own.update().where(own.c.job_id == job_id).values(mine))


def beat(connection: sa.Connection, job_id: str, *, now: datetime, progress: float) -> bool:
    """Note that a RUNNING job lives, and how far it is; False when it no longer is RUNNING."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job_id, jobs.c.status == "RUNNING")
        .values(heartbeat_at=now, progress=progress)
    )
    return bool(changed.rowcount)


def fail_stale_jobs(connection: sa.Connection, *, now: datetime) -> int:
    """Fail jobs that have been RUNNING for more than 24 hours; returns how many."""
    stale = (jobs.c.status == "RUNNING") & (jobs.c.started_at < now - STALE_AFTER)
    closed = connection.execute(
        jobs.update()
        .where(stale)
        .values(
            status="FAILED",
            finished_at=now,
            reason_code="stale",
            message="No word from its process for 24 hours",
        )
    )
    return int(closed.rowcount)
