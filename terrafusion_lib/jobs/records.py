"""Jobs in the operational database: shared columns in ``jobs``, others in ``<plugin>_jobs``."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.store.models import jobs
from terrafusion_lib.store.plugin_tables import jobs_of

PENDING, RUNNING, COMPLETED = "PENDING", "RUNNING", "COMPLETED"
FAILED, CANCELLED = "FAILED", "CANCELLED"
OPEN = (PENDING, RUNNING)
"""States of an unfinished job."""

Job = dict[str, Any]
"""A row of ``jobs`` with the columns of its plugin's table."""


def create(
    connection: sa.Connection,
    *,
    parameters: Mapping[str, Any],
    request: Mapping[str, Any],
    worker: Mapping[str, Any] | None,
    own: Mapping[str, Any],
    now: datetime,
    **columns: Any,
) -> None:
    """Insert a PENDING job; `columns` go to ``jobs``, `own` to the plugin's table."""
    connection.execute(
        jobs.insert().values(
            status=PENDING,
            parameters_json=json.dumps(parameters),
            request_json=json.dumps(request),
            worker_json=json.dumps(worker) if worker else None,
            versions_json="{}",
            progress=0.0,
            created_at=now,
            **columns,
        )
    )
    table = jobs_of(columns["plugin"])
    if table is not None:
        connection.execute(table.insert().values(job_id=columns["job_id"], **own))


def get(connection: sa.Connection, job_id: str) -> Job:
    """A job.

    Raises
    ------
    RunError
        There is no such job.
    """
    row = connection.execute(sa.select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
    if row is None:
        raise RunError(f"There is no job {job_id}", hint="terrafusion jobs list <county>")
    table = jobs_of(row["plugin"])
    if table is None:
        return dict(row)
    own = connection.execute(sa.select(table).where(table.c.job_id == job_id)).mappings().first()
    return dict(row) | dict(own or {})


def ids(connection: sa.Connection, begun: str) -> list[str]:
    """Ids of the jobs whose id starts with the text, sorted."""
    query = sa.select(jobs.c.job_id).where(jobs.c.job_id.startswith(begun, autoescape=True))
    return sorted(connection.scalars(query))


def listed(
    connection: sa.Connection, *, county_id: str | None = None, plugin: str | None = None
) -> list[Job]:
    """Jobs, newest first, optionally of one county or plugin."""
    query = sa.select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.job_id)
    if county_id:
        query = query.where(jobs.c.county_id == county_id)
    if plugin:
        query = query.where(jobs.c.plugin == plugin)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    own: dict[str, Job] = {}
    for name in sorted({row["plugin"] for row in rows}):
        table = jobs_of(name)
        if table is not None:
            own |= {row["job_id"]: dict(row) for row in _own(connection, table, county_id)}
    return [row | own.get(row["job_id"], {}) for row in rows]


def _own(connection: sa.Connection, table: sa.Table, county_id: str | None) -> Any:
    query = sa.select(table)
    if county_id:
        of_county = sa.select(jobs.c.job_id).where(jobs.c.county_id == county_id)
        query = query.where(table.c.job_id.in_(of_county))
    return connection.execute(query).mappings()


def claim(
    connection: sa.Connection,
    job_id: str,
    *,
    worker: Mapping[str, Any],
    versions: Mapping[str, str],
    now: datetime,
    lease_until: datetime,
) -> bool:
    """Claim a PENDING job; if several try at once, only one gets True."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job_id, jobs.c.status == PENDING)
        .values(
            status=RUNNING,
            worker_json=json.dumps(worker),
            versions_json=json.dumps(versions),
            started_at=now,
            heartbeat_at=now,
            lease_until=lease_until,
        )
    )
    return bool(changed.rowcount)


def beat(
    connection: sa.Connection,
    job_id: str,
    *,
    now: datetime,
    progress: float,
    lease_until: datetime,
) -> bool:
    """Record heartbeat and progress of a RUNNING job; False if it is no longer RUNNING."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job_id, jobs.c.status == RUNNING)
        .values(heartbeat_at=now, progress=progress, lease_until=lease_until)
    )
    return bool(changed.rowcount)


def complete(
    connection: sa.Connection,
    job: Job,
    *,
    now: datetime,
    own: Mapping[str, Any],
    **columns: Any,
) -> bool:
    """Move a RUNNING job to COMPLETED with its results; False if it is no longer RUNNING."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job["job_id"], jobs.c.status == RUNNING)
        .values(
            status=COMPLETED,
            progress=1.0,
            heartbeat_at=now,
            finished_at=now,
            lease_until=None,
            **columns,
        )
    )
    table = jobs_of(job["plugin"])
    if changed.rowcount and table is not None and own:
        connection.execute(table.update().where(table.c.job_id == job["job_id"]).values(dict(own)))
    return bool(changed.rowcount)


def end(
    connection: sa.Connection,
    job_id: str,
    status: str,
    *,
    now: datetime,
    reason_code: str,
    message: str,
) -> bool:
    """Move an unfinished job to FAILED or CANCELLED; False if it has already ended."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.job_id == job_id, jobs.c.status.in_(OPEN))
        .values(
            status=status,
            finished_at=now,
            lease_until=None,
            reason_code=reason_code,
            message=message,
        )
    )
    return bool(changed.rowcount)
