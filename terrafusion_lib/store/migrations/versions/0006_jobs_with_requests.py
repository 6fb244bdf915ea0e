"""A job's request apart from where it runs, its lease, and the run of its results.

Parameters of exports held their destination and process as well: these move to where they belong.
Tables for jobs of plugins that never existed go; a plugin that comes brings its own.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

jobs = sa.table(
    "jobs",
    sa.column("job_id", sa.Text()),
    sa.column("parameters_json", sa.Text()),
    sa.column("request_json", sa.Text()),
    sa.column("worker_json", sa.Text()),
    sa.column("run_id", sa.Text()),
)


def upgrade() -> None:
    """Add the columns, part what is stored, and drop the tables that nothing writes."""
    op.add_column("jobs", sa.Column("assessment_year", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("run_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("request_json", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("jobs", sa.Column("worker_json", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_jobs_run_id"), "jobs", ["run_id"])
    _part_requests(op.get_bind())
    op.drop_table("reporting_jobs")
    op.drop_table("market_analysis_jobs")


def _part_requests(connection: sa.Connection) -> None:
    for row in connection.execute(sa.select(jobs.c.job_id, jobs.c.parameters_json)).all():
        parameters = json.loads(row.parameters_json)
        process = parameters.pop("process", None)
        request = {"destination": parameters.pop("destination", None)}
        connection.execute(
            jobs.update()
            .where(jobs.c.job_id == row.job_id)
            .values(
                parameters_json=json.dumps(parameters),
                request_json=json.dumps(request),
                worker_json=json.dumps(process) if process else None,
                run_id=row.job_id,
            )
        )
