"""Counts come with market values."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("parcel_counts", sa.Column("market_value", sa.Double()))
