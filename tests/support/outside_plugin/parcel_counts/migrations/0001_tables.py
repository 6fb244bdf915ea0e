"""The table of counts, and of its jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "parcel_counts",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("county_id", sa.Text(), primary_key=True),
        sa.Column("property_type", sa.Text(), primary_key=True),
        sa.Column("properties", sa.BigInteger()),
    )
    op.create_table(
        "parcel_counts_jobs",
        sa.Column("job_id", sa.Text(), sa.ForeignKey("jobs.job_id"), primary_key=True),
        sa.Column("types", sa.BigInteger()),
    )
