"""What each comparable indicates for its subject."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column to the comparables of valuations."""
    op.add_column("valuation_comparables", sa.Column("indicated_value", sa.Double(), nullable=True))
